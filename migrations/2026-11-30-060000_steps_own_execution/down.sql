-- Only a run's first step fits.
ALTER TABLE runs ADD COLUMN exit_code INTEGER;
ALTER TABLE runs ADD COLUMN use_cache BOOLEAN NOT NULL DEFAULT TRUE;
ALTER TABLE runs ADD COLUMN timeout_seconds INTEGER;
ALTER TABLE runs ADD COLUMN cache_report TEXT;
ALTER TABLE runs ADD COLUMN code TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN dependencies TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN requirements TEXT;
ALTER TABLE runs ADD COLUMN environment TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN lock TEXT;
ALTER TABLE runs ADD COLUMN system_dependencies TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN environment_use TEXT;
UPDATE runs SET
    exit_code = steps.exit_code, use_cache = steps.use_cache, timeout_seconds = steps.timeout_seconds,
    cache_report = steps.cache_report, code = steps.code, dependencies = steps.dependencies,
    requirements = steps.requirements, environment = steps.environment, lock = steps.lock,
    system_dependencies = steps.system_dependencies, environment_use = steps.environment_use
FROM steps WHERE steps.run_id = runs.id AND steps.position = 1;
DELETE FROM steps WHERE position > 1;
ALTER TABLE steps ADD COLUMN recorded_bytes BIGINT NOT NULL DEFAULT 0;
UPDATE steps SET recorded_bytes = CAST(coalesce(cursor, '0') AS INTEGER);
DROP INDEX steps_prepared;
DROP INDEX steps_by_position;
CREATE INDEX runs_prepared ON runs (created_at, environment_use) WHERE environment_use IS NOT NULL;
ALTER TABLE steps DROP COLUMN position;
ALTER TABLE steps DROP COLUMN attempt;
ALTER TABLE steps DROP COLUMN created_at;
ALTER TABLE steps DROP COLUMN started_at;
ALTER TABLE steps DROP COLUMN finished_at;
ALTER TABLE steps DROP COLUMN exit_code;
ALTER TABLE steps DROP COLUMN message;
ALTER TABLE steps DROP COLUMN waiting_for;
ALTER TABLE steps DROP COLUMN place;
ALTER TABLE steps DROP COLUMN cursor;
ALTER TABLE steps DROP COLUMN environment_use;
ALTER TABLE steps DROP COLUMN cache_report;
ALTER TABLE steps DROP COLUMN use_cache;
ALTER TABLE steps DROP COLUMN timeout_seconds;
ALTER TABLE steps DROP COLUMN code;
ALTER TABLE steps DROP COLUMN dependencies;
ALTER TABLE steps DROP COLUMN requirements;
ALTER TABLE steps DROP COLUMN system_dependencies;
ALTER TABLE steps DROP COLUMN environment;
ALTER TABLE steps DROP COLUMN target;
ALTER TABLE steps DROP COLUMN lock;
DROP INDEX runs_by_uid;
ALTER TABLE runs DROP COLUMN uid;
