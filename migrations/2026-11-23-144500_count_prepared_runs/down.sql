DROP INDEX runs_prepared;
ALTER TABLE runs DROP COLUMN environment_use;
