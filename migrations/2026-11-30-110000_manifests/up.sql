-- What an engine handed over for a run to those who run it, as it was then. Engines that run everything themselves have none.
CREATE TABLE manifests (
    run_id BIGINT NOT NULL PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    body   TEXT   NOT NULL
);
