-- One row for each signing key that ever was, and what it may do now. The private half is never here: `name` says where
-- whoever holds the keys has it.
CREATE TABLE signing_keys (
    kid          TEXT    NOT NULL PRIMARY KEY,
    -- An organisation's id; empty for the gateway's own keys.
    owner        TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    algorithm    TEXT    NOT NULL,
    -- next, active, verify-only, removed or compromised.
    state        TEXT    NOT NULL,
    name         TEXT    NOT NULL UNIQUE,
    -- 1: it was there before this table. A credential that names no key was signed with such a one.
    adopted      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    activated_at BIGINT ,
    retired_at   BIGINT ,
    ended_at     BIGINT 
);
-- One signs, and at most one waits, for each purpose of each owner: of two changes at once only one is kept.
CREATE UNIQUE INDEX signing_keys_active ON signing_keys (owner, purpose) WHERE state = 'active';
CREATE UNIQUE INDEX signing_keys_next ON signing_keys (owner, purpose) WHERE state = 'next';

-- Which key signed it. NULL for what was issued before this column, or by a process that does not know it yet.
ALTER TABLE credentials ADD COLUMN kid TEXT;
