-- The list of all runs. Runs are listed by their keys, newest first; each index ends with the key, so that the runs of
-- an engine in a phase, or those of a task, are read in that order, counted and joined from the index alone.
CREATE INDEX runs_by_phase ON runs (engine, phase, id, task_id);
CREATE INDEX runs_of_task ON runs (task_id, engine, phase);
-- The first run since a time.
CREATE INDEX runs_by_creation ON runs (created_at);
-- The names that are searched, without the code beside them.
CREATE INDEX tasks_by_name ON tasks (name, id, deleted_at) WHERE deleted_at IS NULL;
