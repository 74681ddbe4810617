UPDATE tasks SET needs = json_remove(needs, '$.python');
UPDATE flow_steps SET needs = json_remove(needs, '$.python');
UPDATE steps SET needs = json_remove(needs, '$.python');
ALTER TABLE tasks RENAME COLUMN needs TO resources;
ALTER TABLE flow_steps RENAME COLUMN needs TO resources;
ALTER TABLE steps RENAME COLUMN needs TO resources;
