-- An employee as the host last told of them, for as long as an identity may be compared with it.
CREATE TABLE sidecar_people (
    employee      TEXT    NOT NULL PRIMARY KEY,
    first_names   TEXT    NOT NULL,
    surname       TEXT    NOT NULL,
    date_of_birth TEXT,
    email         TEXT,
    told_at       BIGINT  NOT NULL
);
CREATE INDEX sidecar_people_by_told ON sidecar_people (told_at);

-- Whose traces here go as soon as the desk has erased them.
CREATE TABLE sidecar_erasures (
    employee  TEXT    NOT NULL PRIMARY KEY,
    wanted_at BIGINT  NOT NULL
);

-- What a record that was ever confirmed says now: nothing is issued that says something else.
CREATE TABLE sidecar_records (
    record   TEXT    NOT NULL PRIMARY KEY,
    employee TEXT    NOT NULL,
    digest   TEXT,
    told_at  BIGINT  NOT NULL
);
CREATE INDEX sidecar_records_by_employee ON sidecar_records (employee);

-- The answer to a POST that bears an Idempotency-Key, under a hash of who asked for what by which key. Without a status
-- it is being worked on by `owner`, until `expires_at`.
CREATE TABLE sidecar_answers (
    key_digest   TEXT    NOT NULL PRIMARY KEY,
    owner        TEXT    NOT NULL,
    body_digest  TEXT,
    status       BIGINT,
    content_type TEXT,
    body         TEXT,
    expires_at   BIGINT  NOT NULL
);
CREATE INDEX sidecar_answers_by_expiry ON sidecar_answers (expires_at);

-- The one stream of events: the number of the newest, and who delivers.
CREATE TABLE sidecar_stream (
    id            BIGINT  NOT NULL PRIMARY KEY CHECK (id = 1),
    last_sequence BIGINT  NOT NULL,
    due_at        BIGINT  NOT NULL,
    failures      BIGINT  NOT NULL,
    lease         TEXT,
    leased_until  BIGINT  NOT NULL
);
INSERT INTO sidecar_stream (id, last_sequence, due_at, failures, leased_until) VALUES (1, 0, 0, 0, 0);

-- What became of credentials, numbered without gaps. `offered_at` begins the days for which it is offered.
CREATE TABLE sidecar_events (
    sequence        BIGINT  NOT NULL PRIMARY KEY,
    kind            TEXT    NOT NULL,
    employee        TEXT    NOT NULL,
    record          TEXT    NOT NULL,
    credential_type TEXT    NOT NULL,
    serial_number   TEXT    NOT NULL,
    reason          TEXT,
    happened_at     BIGINT  NOT NULL,
    offered_at      BIGINT  NOT NULL,
    delivery        TEXT    NOT NULL,
    attempts        BIGINT  NOT NULL
);
CREATE INDEX sidecar_events_due ON sidecar_events (sequence) WHERE delivery = 'due';
CREATE INDEX sidecar_events_by_employee ON sidecar_events (employee);

-- Written with the step that it reports, whichever way through the desk that took (decision 0022).
CREATE FUNCTION sidecar_credential_moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next BIGINT;
BEGIN
    -- One after the other: whoever comes second waits until the first has committed, so that numbers and commits go together.
    UPDATE sidecar_stream SET last_sequence = last_sequence + 1 WHERE id = 1 RETURNING last_sequence INTO next;
    INSERT INTO sidecar_events
        (sequence, kind, employee, record, credential_type, serial_number, reason, happened_at, offered_at, delivery, attempts)
    VALUES (next, 'credential.' || NEW.stage, NEW.employee, NEW.record, NEW.credential_type, NEW.serial_number,
        CASE NEW.stage WHEN 'not-issued' THEN NEW.outcome WHEN 'revoked' THEN NEW.reason END,
        NEW.stage_at, NEW.stage_at, 'due', 0);
    RETURN NULL;
END
$$;
CREATE TRIGGER sidecar_credential_moved AFTER UPDATE OF stage ON connector_credentials
FOR EACH ROW WHEN (NEW.stage <> OLD.stage AND NEW.stage IN ('issued', 'not-issued', 'revoked'))
EXECUTE FUNCTION sidecar_credential_moved();
