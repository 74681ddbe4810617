-- How runs came to their environments, by day: an index that holds all that this asks for, so that no run is read.
CREATE INDEX runs_prepared ON runs (created_at, json_extract(cache_report, '$.environment'))
    WHERE json_valid(cache_report);
