DROP INDEX runs_prepared;
