DELETE FROM tasks WHERE deleted_at IS NOT NULL;
DROP INDEX tasks_deleted;
ALTER TABLE tasks DROP COLUMN deleted_at;
