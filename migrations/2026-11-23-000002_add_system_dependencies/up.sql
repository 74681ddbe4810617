-- System packages of a task, and of each run's own copy. Rows from before have none.
ALTER TABLE tasks ADD COLUMN system_dependencies TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN system_dependencies TEXT NOT NULL DEFAULT '';
