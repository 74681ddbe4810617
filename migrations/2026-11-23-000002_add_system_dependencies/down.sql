ALTER TABLE runs DROP COLUMN system_dependencies;
ALTER TABLE tasks DROP COLUMN system_dependencies;
