ALTER TABLE checkpoints DROP COLUMN tail;
ALTER TABLE checkpoints DROP COLUMN code;
