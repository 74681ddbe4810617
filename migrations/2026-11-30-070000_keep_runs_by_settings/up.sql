-- What a run's logs take, so that those of all runs are summed, and the oldest found, from one index alone. A run that
-- has not ended is not in it: its column changes often.
ALTER TABLE runs ADD COLUMN log_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE runs SET log_bytes = (
    SELECT coalesce(sum(octet_length(log_chunks.body)), 0)
    FROM steps JOIN log_chunks ON log_chunks.step_id = steps.id WHERE steps.run_id = runs.id
);
CREATE INDEX runs_ended ON runs (finished_at, log_bytes) WHERE finished_at IS NOT NULL;
-- The tasks that were run more often than runs are kept.
CREATE INDEX tasks_by_runs ON tasks (last_run_number, id);
-- The order in which programs list tasks.
CREATE INDEX tasks_by_creation ON tasks (created_at, id);
