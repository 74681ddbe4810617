DROP INDEX tasks_by_name;
DROP INDEX runs_by_creation;
DROP INDEX runs_of_task;
DROP INDEX runs_by_phase;
