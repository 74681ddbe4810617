CREATE TABLE old_checkpoints (
    step_id BIGINT  NOT NULL REFERENCES steps (id) ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    status  TEXT    NOT NULL CHECK (status IN ('ok', 'skipped', 'warning', 'failed')),
    detail  TEXT    NOT NULL,
    advice  TEXT,
    at      BIGINT  NOT NULL,
    millis  BIGINT  NOT NULL,
    code    TEXT,
    tail    TEXT,
    PRIMARY KEY (step_id, number)
);
INSERT INTO old_checkpoints (step_id, number, name, status, detail, advice, at, millis, code, tail)
SELECT step_id, number, name, status, detail, advice, at, millis, code, tail FROM checkpoints WHERE status <> 'running';
DROP TABLE checkpoints;
ALTER TABLE old_checkpoints RENAME TO checkpoints;
