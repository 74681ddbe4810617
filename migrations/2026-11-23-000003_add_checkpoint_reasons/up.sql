-- Which entry of the troubleshooting page explains a failed checkpoint, and the last lines that its installer printed.
ALTER TABLE checkpoints ADD COLUMN code TEXT;
ALTER TABLE checkpoints ADD COLUMN tail TEXT;
