-- What is executed belongs to steps, of which a run may have many: a run keeps what a list shows of it.
-- `uid` names a run outside of this database. Runs from before keep the name that their engine knows: their step's key.
ALTER TABLE runs ADD COLUMN uid TEXT NOT NULL DEFAULT '';
UPDATE runs SET uid = (SELECT min(steps.id) FROM steps WHERE steps.run_id = runs.id);
CREATE UNIQUE INDEX runs_by_uid ON runs (uid);

ALTER TABLE steps ADD COLUMN position        INTEGER NOT NULL DEFAULT 1 CHECK (position > 0);
ALTER TABLE steps ADD COLUMN attempt         INTEGER NOT NULL DEFAULT 1;
ALTER TABLE steps ADD COLUMN created_at      BIGINT  NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN started_at      BIGINT;
ALTER TABLE steps ADD COLUMN finished_at     BIGINT;
ALTER TABLE steps ADD COLUMN exit_code       INTEGER;
ALTER TABLE steps ADD COLUMN message         TEXT;
-- What it waits for outside of Stoker, and where it was placed.
ALTER TABLE steps ADD COLUMN waiting_for     TEXT;
ALTER TABLE steps ADD COLUMN place           TEXT;
-- How far the recorder has read the engine's events of the step: the engine's own text. NULL before the first.
ALTER TABLE steps ADD COLUMN cursor          TEXT;
ALTER TABLE steps ADD COLUMN environment_use TEXT;
ALTER TABLE steps ADD COLUMN cache_report    TEXT;
ALTER TABLE steps ADD COLUMN use_cache       BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE steps ADD COLUMN timeout_seconds INTEGER;
ALTER TABLE steps ADD COLUMN code            TEXT    NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN dependencies    TEXT    NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN requirements    TEXT;
ALTER TABLE steps ADD COLUMN system_dependencies TEXT NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN environment     TEXT    NOT NULL DEFAULT '';
-- For which Python and platform the lock was made, as text for people; the lock itself.
ALTER TABLE steps ADD COLUMN target          TEXT;
ALTER TABLE steps ADD COLUMN lock            TEXT;

UPDATE steps SET
    created_at = runs.created_at, started_at = runs.started_at, finished_at = runs.finished_at,
    exit_code = runs.exit_code, message = runs.message,
    cursor = CASE WHEN recorded_bytes > 0 THEN CAST(recorded_bytes AS TEXT) END,
    environment_use = runs.environment_use, cache_report = runs.cache_report, use_cache = runs.use_cache,
    timeout_seconds = runs.timeout_seconds, code = runs.code, dependencies = runs.dependencies,
    requirements = runs.requirements, system_dependencies = runs.system_dependencies, environment = runs.environment,
    lock = runs.lock
FROM runs WHERE runs.id = steps.run_id;

CREATE UNIQUE INDEX steps_by_position ON steps (run_id, position);
-- Steps are counted by how they came to their environment, and by day, from this index alone.
DROP INDEX runs_prepared;
CREATE INDEX steps_prepared ON steps (created_at, environment_use) WHERE environment_use IS NOT NULL;

ALTER TABLE steps DROP COLUMN recorded_bytes;
ALTER TABLE runs DROP COLUMN exit_code;
ALTER TABLE runs DROP COLUMN use_cache;
ALTER TABLE runs DROP COLUMN timeout_seconds;
ALTER TABLE runs DROP COLUMN cache_report;
ALTER TABLE runs DROP COLUMN code;
ALTER TABLE runs DROP COLUMN dependencies;
ALTER TABLE runs DROP COLUMN requirements;
ALTER TABLE runs DROP COLUMN environment;
ALTER TABLE runs DROP COLUMN lock;
ALTER TABLE runs DROP COLUMN system_dependencies;
ALTER TABLE runs DROP COLUMN environment_use;
