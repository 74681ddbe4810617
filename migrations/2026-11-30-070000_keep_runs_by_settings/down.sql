DROP INDEX tasks_by_creation;
DROP INDEX tasks_by_runs;
DROP INDEX runs_ended;
ALTER TABLE runs DROP COLUMN log_bytes;
