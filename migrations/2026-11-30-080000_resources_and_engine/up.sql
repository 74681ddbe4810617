-- Processor and memory that a program asks for and may use, as JSON, and the engine that a task is to run on. Rows from
-- before leave both to the server.
ALTER TABLE tasks ADD COLUMN resources TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tasks ADD COLUMN engine TEXT;
ALTER TABLE steps ADD COLUMN resources TEXT NOT NULL DEFAULT '{}';
ALTER TABLE steps ADD COLUMN engine TEXT;
