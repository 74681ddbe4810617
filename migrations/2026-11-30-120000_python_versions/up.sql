-- The version of Python that a program asks for stands beside processor and memory, as JSON: all of it is what the program
-- needs of the place where it runs. Rows from before leave the version to the engine.
ALTER TABLE tasks RENAME COLUMN resources TO needs;
ALTER TABLE flow_steps RENAME COLUMN resources TO needs;
ALTER TABLE steps RENAME COLUMN resources TO needs;
