-- What was done, by whom: written with the act, never changed, in one chain. (Decision 0026.)
CREATE TABLE audit_entries (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    happened_at  INTEGER NOT NULL,
    actor        TEXT    NOT NULL,
    act          TEXT    NOT NULL,
    organisation TEXT,
    object       TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    reason       TEXT,
    ticket       TEXT,
    -- Given once, within a second or so, by whichever process is first.
    position     INTEGER,
    digest       BLOB,
    CHECK ((position IS NULL) = (digest IS NULL))
) STRICT;
CREATE UNIQUE INDEX audit_entries_by_position ON audit_entries (position);
CREATE INDEX audit_entries_unchained ON audit_entries (number) WHERE position IS NULL;
CREATE INDEX audit_entries_by_time ON audit_entries (happened_at);

-- `head`: the last entry that has a place. `horizon`: the last one that retention removed.
CREATE TABLE audit_chain (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    digest   BLOB    NOT NULL
) STRICT;
INSERT INTO audit_chain (name, position, digest) VALUES
    ('head', 0, x'0000000000000000000000000000000000000000000000000000000000000000'),
    ('horizon', 0, x'0000000000000000000000000000000000000000000000000000000000000000');

-- The head of each day, signed.
CREATE TABLE audit_checkpoints (
    day      TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    jws      TEXT    NOT NULL
) STRICT;

CREATE TRIGGER audit_entries_stay BEFORE UPDATE ON audit_entries
WHEN OLD.position IS NOT NULL
    OR NEW.position IS NULL
    OR NEW.number <> OLD.number
    OR NEW.happened_at <> OLD.happened_at
    OR NEW.actor <> OLD.actor
    OR NEW.act <> OLD.act
    OR NEW.organisation IS NOT OLD.organisation
    OR NEW.object <> OLD.object
    OR NEW.detail <> OLD.detail
    OR NEW.reason IS NOT OLD.reason
    OR NEW.ticket IS NOT OLD.ticket
BEGIN SELECT RAISE(ABORT, 'an audit entry is never changed'); END;

CREATE TRIGGER audit_entries_are_kept BEFORE DELETE ON audit_entries
WHEN OLD.position IS NULL
    OR OLD.position > (SELECT position FROM audit_chain WHERE name = 'horizon')
BEGIN SELECT RAISE(ABORT, 'an audit entry is never deleted before its time'); END;

CREATE TRIGGER audit_chain_goes_on BEFORE UPDATE ON audit_chain
WHEN NEW.name <> OLD.name OR NEW.position <= OLD.position
BEGIN SELECT RAISE(ABORT, 'the audit chain goes on and never back'); END;

CREATE TRIGGER audit_chain_is_kept BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'the audit chain is never deleted'); END;

CREATE TRIGGER audit_checkpoints_stay BEFORE UPDATE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'a checkpoint is never changed'); END;

CREATE TRIGGER audit_checkpoints_are_kept BEFORE DELETE ON audit_checkpoints
BEGIN SELECT RAISE(ABORT, 'a checkpoint is never deleted'); END;

-- Who may administer: people, and programs that one of them answers for. A name is never given twice, so that what
-- stands in the audit means one operator for ever.
CREATE TABLE operators (
    id           TEXT    NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    organisation TEXT,
    -- The operator who answers for a program; its own id for a person.
    person       TEXT    NOT NULL,
    break_glass  INTEGER NOT NULL,
    added_at     INTEGER NOT NULL,
    removed_at   INTEGER
) STRICT;

-- Within an organisation, so that nobody learns another's names from what is taken.
CREATE UNIQUE INDEX operators_by_name ON operators (COALESCE(organisation, ''), name);
CREATE INDEX operators_by_person ON operators (person);

CREATE TABLE operator_tokens (
    id           TEXT    NOT NULL PRIMARY KEY,
    operator     TEXT    NOT NULL REFERENCES operators (id),
    digest       BLOB    NOT NULL UNIQUE,
    made_at      INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at   INTEGER
) STRICT;
CREATE INDEX operator_tokens_of ON operator_tokens (operator);

-- What one operator asks for and another must approve.
CREATE TABLE proposals (
    id           TEXT    NOT NULL PRIMARY KEY,
    act          TEXT    NOT NULL,
    organisation TEXT,
    object       TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    reason       TEXT,
    ticket       TEXT,
    proposed_by  TEXT    NOT NULL REFERENCES operators (id),
    person       TEXT    NOT NULL,
    proposed_at  INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    state        TEXT    NOT NULL,
    decided_by   TEXT,
    decided_at   INTEGER
) STRICT;
CREATE INDEX proposals_by_time ON proposals (proposed_at);
