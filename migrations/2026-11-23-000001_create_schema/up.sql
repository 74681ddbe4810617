-- The schema as it was before system dependencies.
-- Times are milliseconds since 1970-01-01 UTC. JSON stands in TEXT.

CREATE TABLE tasks (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT,
    code            TEXT    NOT NULL,
    dependencies    TEXT    NOT NULL DEFAULT '',
    requirements    TEXT,
    use_cache       BOOLEAN NOT NULL DEFAULT TRUE,
    environment     TEXT    NOT NULL DEFAULT '',
    timeout_seconds INTEGER CHECK (timeout_seconds > 0),
    revision        INTEGER NOT NULL DEFAULT 1,
    last_run_number INTEGER NOT NULL DEFAULT 0,
    created_at      BIGINT  NOT NULL,
    updated_at      BIGINT  NOT NULL,
    activity_at     BIGINT  NOT NULL
);

CREATE INDEX tasks_by_activity ON tasks (activity_at DESC, id DESC);

-- Short columns first: a list of runs then never reads a row's overflow pages.
CREATE TABLE runs (
    id                  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    task_id             TEXT    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    number              INTEGER NOT NULL CHECK (number > 0),
    phase               TEXT    NOT NULL CHECK (phase IN ('Pending', 'Running', 'Succeeded', 'Failed', 'Error', 'Cancelled')),
    created_at          BIGINT  NOT NULL,
    started_at          BIGINT,
    finished_at         BIGINT,
    cancel_requested_at BIGINT,
    exit_code           INTEGER,
    message             TEXT,
    engine              TEXT    NOT NULL,
    version             BIGINT  NOT NULL DEFAULT 1,
    use_cache           BOOLEAN NOT NULL,
    timeout_seconds     INTEGER,
    cache_report        TEXT,
    code                TEXT    NOT NULL,
    dependencies        TEXT    NOT NULL,
    requirements        TEXT,
    environment         TEXT    NOT NULL,
    lock                TEXT,
    UNIQUE (task_id, number)
);

CREATE INDEX runs_active ON runs (id) WHERE phase IN ('Pending', 'Running');

CREATE TABLE steps (
    id             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    run_id         BIGINT  NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,
    phase          TEXT    NOT NULL CHECK (phase IN ('Pending', 'Running', 'Succeeded', 'Failed', 'Error', 'Cancelled')),
    -- How far the recorder has read the step's events, and what it keeps between two readings.
    -- Both change in the same transaction as the lines they led to: no line is lost or doubled.
    recorded_bytes BIGINT  NOT NULL DEFAULT 0,
    recorder_state TEXT    NOT NULL DEFAULT '',
    line_count     BIGINT  NOT NULL DEFAULT 0,
    UNIQUE (run_id, name)
);

CREATE TABLE checkpoints (
    step_id BIGINT  NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    status  TEXT    NOT NULL CHECK (status IN ('ok', 'skipped', 'warning', 'failed')),
    detail  TEXT    NOT NULL,
    advice  TEXT,
    at      BIGINT  NOT NULL,
    millis  BIGINT  NOT NULL,
    PRIMARY KEY (step_id, number)
);

-- Log lines, some hundreds to a row: `body` is a JSON array of [stream, milliseconds, text], the first of which has
-- the number `first_line`. The socket sends it as it stands.
CREATE TABLE log_chunks (
    step_id    BIGINT  NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    first_line BIGINT  NOT NULL,
    line_count INTEGER NOT NULL CHECK (line_count > 0),
    body       TEXT    NOT NULL,
    PRIMARY KEY (step_id, first_line)
);

-- Locks already made, by what they were made from, so that the same packages are resolved once.
CREATE TABLE locks (
    key        TEXT   NOT NULL PRIMARY KEY,
    body       TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);
