-- Whom to write to about their credentials.
CREATE TABLE connector_people (
    employee   TEXT NOT NULL PRIMARY KEY,
    first_name TEXT NOT NULL,
    email      TEXT
) STRICT;

-- What an employee was asked about a record before a credential is made of it: whether the old copy is gone, and
-- whether exactly this is right. Both answers count for an hour.
CREATE TABLE connector_confirmations (
    employee     TEXT NOT NULL,
    record       TEXT NOT NULL,
    old_copy     TEXT,
    old_copy_at  INTEGER,
    snapshot     TEXT,
    digest       TEXT,
    confirmed_at INTEGER,
    PRIMARY KEY (employee, record)
) STRICT;

-- Whose identity credential a session has seen. One row for each log-in, gone at its end.
CREATE TABLE connector_identities (
    session           TEXT    NOT NULL PRIMARY KEY,
    employee          TEXT    NOT NULL,
    mismatches        INTEGER NOT NULL,
    last_outcome      TEXT,
    last_outcome_at   INTEGER,
    unique_identifier TEXT,
    verified_at       INTEGER,
    expires_at        INTEGER NOT NULL
) STRICT;

-- A browser that is away at the gateway. `pending` holds the journey's secrets (state, nonce, code verifier) until the
-- journey ended: they open nothing without the client secret and the session, and go with the row at the latest.
-- `used_at` says that a callback was taken up, once; `ended_at`, that nobody works on it any more.
CREATE TABLE connector_journeys (
    state_digest  TEXT    NOT NULL PRIMARY KEY,
    session       TEXT    NOT NULL,
    employee      TEXT    NOT NULL,
    serial_number TEXT,
    return_to     TEXT,
    pending       TEXT,
    started_at    INTEGER NOT NULL,
    used_at       INTEGER,
    ended_at      INTEGER
) STRICT;
CREATE INDEX connector_journeys_by_start ON connector_journeys (started_at);

-- Every credential ever asked for, written before the gateway hears of it. `nth` counts an employee's: times are whole
-- seconds, and of two in one second the newer must be known.
CREATE TABLE connector_credentials (
    serial_number   TEXT    NOT NULL PRIMARY KEY,
    employee        TEXT    NOT NULL,
    nth             INTEGER NOT NULL,
    record          TEXT    NOT NULL,
    credential_type TEXT    NOT NULL,
    label           TEXT    NOT NULL,
    digest          TEXT    NOT NULL,
    stage           TEXT    NOT NULL,
    outcome         TEXT,
    started_at      INTEGER NOT NULL,
    stage_at        INTEGER NOT NULL,
    changed_at      INTEGER,
    issued_at       INTEGER,
    expires_at      INTEGER,
    revoked_at      INTEGER,
    reason          TEXT
) STRICT;
CREATE INDEX connector_credentials_by_employee ON connector_credentials (employee);
CREATE INDEX connector_credentials_by_record ON connector_credentials (record);
-- What is yet to be settled is few among what is kept.
CREATE INDEX connector_credentials_open ON connector_credentials (stage_at) WHERE stage IN ('asked', 'checking');

-- Credentials that must be revoked; a row stays when it is done.
CREATE TABLE connector_revocations (
    serial_number TEXT    NOT NULL PRIMARY KEY REFERENCES connector_credentials (serial_number),
    reason        TEXT    NOT NULL,
    tell          INTEGER NOT NULL,
    wanted_at     INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    fault         TEXT,
    done_at       INTEGER
) STRICT;
CREATE INDEX connector_revocations_due ON connector_revocations (next_at) WHERE done_at IS NULL;

-- Mails that must go out; written in the batch that says why. One for each credential and text.
CREATE TABLE connector_mails (
    message_id    TEXT    NOT NULL PRIMARY KEY,
    serial_number TEXT    NOT NULL REFERENCES connector_credentials (serial_number),
    template      TEXT    NOT NULL,
    recipient     TEXT    NOT NULL,
    subject       TEXT    NOT NULL,
    body          TEXT    NOT NULL,
    written_at    INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL,
    fault         TEXT,
    sent_at       INTEGER,
    failed_at     INTEGER,
    UNIQUE (serial_number, template)
) STRICT;
CREATE INDEX connector_mails_due ON connector_mails (next_at) WHERE sent_at IS NULL AND failed_at IS NULL;
