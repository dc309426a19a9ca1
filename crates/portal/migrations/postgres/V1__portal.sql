-- Who may log in, as HR has them; and the record that they are about to add, which outlives a session.
CREATE TABLE portal_employees (
    id            TEXT    NOT NULL PRIMARY KEY,
    username      TEXT    NOT NULL UNIQUE,
    password_hash TEXT    NOT NULL,
    first_names   TEXT    NOT NULL,
    surname       TEXT    NOT NULL,
    date_of_birth TEXT,
    email         TEXT,
    applicable    BIGINT  NOT NULL,
    chosen        TEXT,
    chosen_at     BIGINT
);

-- What can become a credential. `claims` is a JSON object of texts. A deleted record stays, so that neither the list
-- nor a second taking-in of the same staff file forgets that it was there.
CREATE TABLE portal_records (
    id              TEXT    NOT NULL PRIMARY KEY,
    employee        TEXT    NOT NULL REFERENCES portal_employees (id),
    place           BIGINT  NOT NULL,
    credential_type TEXT    NOT NULL,
    label           TEXT    NOT NULL,
    claims          TEXT    NOT NULL,
    version         BIGINT  NOT NULL,
    changed_at      BIGINT  NOT NULL,
    deleted_at      BIGINT
);
CREATE INDEX portal_records_by_employee ON portal_records (employee, place);

-- One log-in in one browser, under the SHA-256 of what its cookie says. `away_to` is the page that follows when the
-- browser is back from the gateway, `returned_at` when it came and `settled_at` when what it brought was dealt with.
CREATE TABLE portal_sessions (
    digest      TEXT    NOT NULL PRIMARY KEY,
    employee    TEXT    NOT NULL REFERENCES portal_employees (id),
    csrf        TEXT    NOT NULL,
    created_at  BIGINT  NOT NULL,
    seen_at     BIGINT  NOT NULL,
    away_to     TEXT,
    returned_at BIGINT,
    settled_at  BIGINT
);
CREATE INDEX portal_sessions_by_seen ON portal_sessions (seen_at);

-- Attempts to log in, counted before the password is looked at. `who` is the SHA-256 of a user name or of an address.
CREATE TABLE portal_attempts (
    who      TEXT    NOT NULL PRIMARY KEY,
    attempts BIGINT  NOT NULL,
    since    BIGINT  NOT NULL
);
CREATE INDEX portal_attempts_by_since ON portal_attempts (since);
