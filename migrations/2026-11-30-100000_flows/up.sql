-- A flow is kept like a task, under an id of its own kind; its steps are here. `in_flow` is what a step waits for and how
-- often it is tried, as JSON.
ALTER TABLE tasks ADD COLUMN description TEXT;
-- Tasks and flows are listed each for themselves: their ids begin differently.
DROP INDEX tasks_by_activity;
CREATE INDEX tasks_by_activity ON tasks (substr(id, 1, 5), activity_at DESC, id DESC);
CREATE TABLE flow_steps (
    task_id             TEXT    NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    position            INTEGER NOT NULL CHECK (position > 0),
    key                 TEXT    NOT NULL,
    name                TEXT    NOT NULL,
    in_flow             TEXT    NOT NULL,
    code                TEXT    NOT NULL,
    dependencies        TEXT    NOT NULL,
    requirements        TEXT,
    system_dependencies TEXT    NOT NULL,
    use_cache           BOOLEAN NOT NULL,
    environment         TEXT    NOT NULL,
    timeout_seconds     INTEGER CHECK (timeout_seconds > 0),
    resources           TEXT    NOT NULL,
    engine              TEXT,
    PRIMARY KEY (task_id, position),
    UNIQUE (task_id, key)
);

-- From where a run took what it did not do itself, as JSON.
ALTER TABLE runs ADD COLUMN origin TEXT;

-- What named a step within its run is its key now; its name is for people.
ALTER TABLE steps RENAME COLUMN name TO key;
ALTER TABLE steps ADD COLUMN name       TEXT NOT NULL DEFAULT '';
UPDATE steps SET name = key;
ALTER TABLE steps ADD COLUMN in_flow    TEXT NOT NULL DEFAULT '{}';
-- A step that is tried again waits until then.
ALTER TABLE steps ADD COLUMN not_before BIGINT;

-- A column's condition cannot be changed: a new column takes its place.
ALTER TABLE steps ADD COLUMN phase_with_skipped TEXT NOT NULL DEFAULT 'Pending'
    CHECK (phase_with_skipped IN ('Pending', 'Running', 'Succeeded', 'Failed', 'Error', 'Cancelled', 'Skipped'));
UPDATE steps SET phase_with_skipped = phase;
ALTER TABLE steps DROP COLUMN phase;
ALTER TABLE steps RENAME COLUMN phase_with_skipped TO phase;

-- What moves runs looks at this alone; and what lists steps finds in it what stands behind their code in the table.
DROP INDEX steps_by_position;
CREATE INDEX steps_in_order ON steps
    (run_id, position, phase, started_at, not_before, (lock IS NULL), key, name, in_flow);

-- Attempts after which there was another one, each with the last line of its log within the step's.
CREATE TABLE attempts (
    step_id     BIGINT  NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number > 0),
    phase       TEXT    NOT NULL CHECK (phase IN ('Failed', 'Error')),
    last_line   BIGINT  NOT NULL,
    started_at  BIGINT,
    finished_at BIGINT  NOT NULL,
    message     TEXT,
    exit_code   INTEGER,
    PRIMARY KEY (step_id, number)
);
