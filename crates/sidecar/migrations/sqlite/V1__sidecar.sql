-- An employee as the host last told of them, for as long as an identity may be compared with it.
CREATE TABLE sidecar_people (
    employee      TEXT    NOT NULL PRIMARY KEY,
    first_names   TEXT    NOT NULL,
    surname       TEXT    NOT NULL,
    date_of_birth TEXT,
    email         TEXT,
    told_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX sidecar_people_by_told ON sidecar_people (told_at);

-- Whose traces here go as soon as the desk has erased them.
CREATE TABLE sidecar_erasures (
    employee  TEXT    NOT NULL PRIMARY KEY,
    wanted_at INTEGER NOT NULL
) STRICT;

-- What a record that was ever confirmed says now: nothing is issued that says something else.
CREATE TABLE sidecar_records (
    record   TEXT    NOT NULL PRIMARY KEY,
    employee TEXT    NOT NULL,
    digest   TEXT,
    told_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX sidecar_records_by_employee ON sidecar_records (employee);

-- The answer to a POST that bears an Idempotency-Key, under a hash of who asked for what by which key. Without a status
-- it is being worked on by `owner`, until `expires_at`.
CREATE TABLE sidecar_answers (
    key_digest   TEXT    NOT NULL PRIMARY KEY,
    owner        TEXT    NOT NULL,
    body_digest  TEXT,
    status       INTEGER,
    content_type TEXT,
    body         TEXT,
    expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX sidecar_answers_by_expiry ON sidecar_answers (expires_at);

-- The one stream of events: the number of the newest, and who delivers.
CREATE TABLE sidecar_stream (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    last_sequence INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    lease         TEXT,
    leased_until  INTEGER NOT NULL
) STRICT;
INSERT INTO sidecar_stream (id, last_sequence, due_at, failures, leased_until) VALUES (1, 0, 0, 0, 0);

-- What became of credentials, numbered without gaps. `offered_at` begins the days for which it is offered.
CREATE TABLE sidecar_events (
    sequence        INTEGER NOT NULL PRIMARY KEY,
    kind            TEXT    NOT NULL,
    employee        TEXT    NOT NULL,
    record          TEXT    NOT NULL,
    credential_type TEXT    NOT NULL,
    serial_number   TEXT    NOT NULL,
    reason          TEXT,
    happened_at     INTEGER NOT NULL,
    offered_at      INTEGER NOT NULL,
    delivery        TEXT    NOT NULL,
    attempts        INTEGER NOT NULL
) STRICT;
CREATE INDEX sidecar_events_due ON sidecar_events (sequence) WHERE delivery = 'due';
CREATE INDEX sidecar_events_by_employee ON sidecar_events (employee);

-- Written with the step that it reports, whichever way through the desk that took (decision 0022).
CREATE TRIGGER sidecar_credential_moved AFTER UPDATE OF stage ON connector_credentials
WHEN NEW.stage <> OLD.stage AND NEW.stage IN ('issued', 'not-issued', 'revoked')
BEGIN
    UPDATE sidecar_stream SET last_sequence = last_sequence + 1 WHERE id = 1;
    INSERT INTO sidecar_events
        (sequence, kind, employee, record, credential_type, serial_number, reason, happened_at, offered_at, delivery, attempts)
    SELECT last_sequence, 'credential.' || NEW.stage, NEW.employee, NEW.record, NEW.credential_type, NEW.serial_number,
        CASE NEW.stage WHEN 'not-issued' THEN NEW.outcome WHEN 'revoked' THEN NEW.reason END,
        NEW.stage_at, NEW.stage_at, 'due', 0
    FROM sidecar_stream WHERE id = 1;
END;
