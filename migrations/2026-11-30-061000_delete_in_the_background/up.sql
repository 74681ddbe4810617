-- A deleted task is gone for everybody at once; its rows go in the background, once its runs have ended.
ALTER TABLE tasks ADD COLUMN deleted_at BIGINT;
CREATE INDEX tasks_deleted ON tasks (id) WHERE deleted_at IS NOT NULL;
