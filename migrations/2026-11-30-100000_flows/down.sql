-- What came before cannot read the ids of flows.
DELETE FROM runs WHERE substr(task_id, 1, 5) = 'flow-';
DELETE FROM tasks WHERE substr(id, 1, 5) = 'flow-';
DROP INDEX tasks_by_activity;
CREATE INDEX tasks_by_activity ON tasks (activity_at DESC, id DESC);
DROP TABLE attempts;
DROP INDEX steps_in_order;
CREATE UNIQUE INDEX steps_by_position ON steps (run_id, position);
ALTER TABLE steps ADD COLUMN phase_without_skipped TEXT NOT NULL DEFAULT 'Pending'
    CHECK (phase_without_skipped IN ('Pending', 'Running', 'Succeeded', 'Failed', 'Error', 'Cancelled'));
UPDATE steps SET phase_without_skipped = CASE phase WHEN 'Skipped' THEN 'Cancelled' ELSE phase END;
ALTER TABLE steps DROP COLUMN phase;
ALTER TABLE steps RENAME COLUMN phase_without_skipped TO phase;
ALTER TABLE steps DROP COLUMN not_before;
ALTER TABLE steps DROP COLUMN in_flow;
ALTER TABLE steps DROP COLUMN name;
ALTER TABLE steps RENAME COLUMN key TO name;
ALTER TABLE runs DROP COLUMN origin;
DROP TABLE flow_steps;
ALTER TABLE tasks DROP COLUMN description;
