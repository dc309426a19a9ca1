-- How an operator signs in to the console: a password and a code of an authenticator app. One row for each who has set it up.
-- (Decision 0031.)
CREATE TABLE operator_sign_ins (
    operator      TEXT    NOT NULL PRIMARY KEY REFERENCES operators (id),
    password_hash TEXT    NOT NULL,
    -- Sealed.
    totp_secret   BLOB    NOT NULL,
    -- The latest step of time of which a code was used: none is used twice.
    last_step     INTEGER NOT NULL,
    set_up_at     INTEGER NOT NULL,
    last_used_at  INTEGER
) STRICT;

-- The same, begun and not yet confirmed by a code. Whoever has what `digest` is the digest of confirms it.
CREATE TABLE operator_set_ups (
    operator      TEXT    NOT NULL PRIMARY KEY REFERENCES operators (id),
    digest        BLOB    NOT NULL UNIQUE,
    -- The token with which it was begun: where that is revoked, nothing is confirmed.
    token         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    totp_secret   BLOB    NOT NULL,
    attempts      INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE operator_recovery_codes (
    operator TEXT    NOT NULL REFERENCES operators (id),
    digest   BLOB    NOT NULL,
    used_at  INTEGER,
    PRIMARY KEY (operator, digest)
) STRICT;

-- How often a name or an address tried of late, by digest.
CREATE TABLE operator_attempts (
    who      TEXT    NOT NULL PRIMARY KEY,
    attempts INTEGER NOT NULL,
    since    INTEGER NOT NULL
) STRICT;

-- `token`, or `session`: one that begins by signing in and ends when nothing is asked with it for a while.
ALTER TABLE operator_tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'token';

-- Why a proposal was approved or declined, in the words of whoever did.
ALTER TABLE proposals ADD COLUMN decision_reason TEXT;
