-- How a run came to its environment, also apart from its cache report: runs are counted by it and by day, from an index
-- that holds both, so that no run is read.
ALTER TABLE runs ADD COLUMN environment_use TEXT;
UPDATE runs SET environment_use = json_extract(cache_report, '$.environment') WHERE json_valid(cache_report);
CREATE INDEX runs_prepared ON runs (created_at, environment_use) WHERE environment_use IS NOT NULL;
