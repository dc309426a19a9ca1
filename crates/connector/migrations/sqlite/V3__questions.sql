-- By which the gateway is asked what became of a credential's journey, also when the journey ended without an answer; it
-- goes with the row. `old_copy_answered` keeps what was known when the callback was taken up: the answer itself goes then.
ALTER TABLE connector_journeys ADD COLUMN state TEXT;
ALTER TABLE connector_journeys ADD COLUMN old_copy_answered INTEGER NOT NULL DEFAULT 0;
CREATE INDEX connector_journeys_by_serial_number ON connector_journeys (serial_number);

-- Credentials of which nobody knows whether they reached a wallet, and which the gateway is to be asked about. A row goes
-- when its credential is settled.
CREATE TABLE connector_questions (
    serial_number TEXT    NOT NULL PRIMARY KEY REFERENCES connector_credentials (serial_number),
    wanted_at     INTEGER NOT NULL,
    attempts      INTEGER NOT NULL,
    next_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX connector_questions_due ON connector_questions (next_at);

-- When the employee said that the wallet is lost: nobody is asked about copies that were asked for before.
ALTER TABLE connector_people ADD COLUMN wallet_lost_at INTEGER;

-- People who are to be erased as soon as nothing of theirs is in force and nothing waits. `cause` says why what is in force
-- is revoked first. The row goes with the person.
CREATE TABLE connector_erasures (
    employee  TEXT    NOT NULL PRIMARY KEY,
    wanted_at INTEGER NOT NULL,
    next_at   INTEGER NOT NULL,
    cause     TEXT
) STRICT;
