DROP TABLE locks;
DROP TABLE log_chunks;
DROP TABLE checkpoints;
DROP TABLE steps;
DROP TABLE runs;
DROP TABLE tasks;
