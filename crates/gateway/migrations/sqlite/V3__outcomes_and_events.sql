-- A relying party asks how its interaction ended by the state that it chose: kept as a digest that only this gateway
-- can make, since many states are short or always the same.
ALTER TABLE interactions ADD COLUMN state_digest TEXT;
CREATE INDEX interactions_by_state ON interactions (client_id, state_digest, created_at)
    WHERE state_digest IS NOT NULL;
CREATE INDEX interactions_by_reference ON interactions (reference);
-- Those whose wallet has yet to say whether it kept its credential.
CREATE INDEX interactions_to_settle ON interactions (stage_at) WHERE stage = 'issued';

-- What revoked a credential, as a word of a closed list. `revocation_reason` may be a relying party's own sentence.
ALTER TABLE credentials ADD COLUMN revocation_cause TEXT;
UPDATE credentials SET revocation_cause = CASE
    WHEN revocation_reason = 'not collected' THEN 'not-collected'
    WHEN revocation_reason = 'code replayed' THEN 'code-replayed'
    WHEN revocation_reason LIKE 'the wallet notified %' THEN 'not-kept'
    ELSE 'relying-party' END
    WHERE revoked_at IS NOT NULL;

-- One row for each client that is told of events: the number of its newest one, and who is delivering until when.
CREATE TABLE event_streams (
    client_id     TEXT    NOT NULL PRIMARY KEY,
    active        INTEGER NOT NULL,
    last_sequence INTEGER NOT NULL,
    failures      INTEGER NOT NULL,
    due_at        INTEGER NOT NULL,
    lease         TEXT,
    leased_until  INTEGER NOT NULL
) STRICT;

-- What happened, numbered without gaps for each client. `offered_at` is when it was first, or again, to be delivered.
CREATE TABLE events (
    client_id       TEXT    NOT NULL,
    sequence        INTEGER NOT NULL,
    id              TEXT    NOT NULL UNIQUE,
    kind            TEXT    NOT NULL,
    happened_at     INTEGER NOT NULL,
    purpose         TEXT    NOT NULL,
    credential_type TEXT    NOT NULL,
    reference       TEXT,
    request_digest  TEXT,
    serial_number   TEXT,
    refusal         TEXT,
    cause           TEXT,
    delivery        TEXT    NOT NULL,
    attempts        INTEGER NOT NULL,
    offered_at      INTEGER NOT NULL,
    PRIMARY KEY (client_id, sequence)
) STRICT;
-- What is yet to be delivered is few among what is kept.
CREATE INDEX events_due ON events (client_id, sequence) WHERE delivery = 'due';
CREATE INDEX events_by_time ON events (happened_at);
