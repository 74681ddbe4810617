-- A checkpoint has a row from its beginning on: `running` until it ends. SQLite cannot change a CHECK in place.
CREATE TABLE new_checkpoints (
    step_id BIGINT  NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    status  TEXT    NOT NULL CHECK (status IN ('running', 'ok', 'skipped', 'warning', 'failed')),
    detail  TEXT    NOT NULL,
    advice  TEXT,
    at      BIGINT  NOT NULL,
    millis  BIGINT  NOT NULL,
    code    TEXT,
    tail    TEXT,
    PRIMARY KEY (step_id, number)
);
INSERT INTO new_checkpoints (step_id, number, name, status, detail, advice, at, millis, code, tail)
SELECT step_id, number, name, status, detail, advice, at, millis, code, tail FROM checkpoints;
DROP TABLE checkpoints;
ALTER TABLE new_checkpoints RENAME TO checkpoints;
