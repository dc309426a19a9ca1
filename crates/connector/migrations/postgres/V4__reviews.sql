-- Identities that a comparison neither matched nor refused, for somebody who knows the person to look at (decision 0035).
-- `compared` is the SHA-256 of identity and record together, `ends_with` the end of the identity's unique identifier, by
-- which it is found again in a wallet; `why` are codes with spaces between. `decision` is 'same' or 'not-same'.
CREATE TABLE connector_reviews (
    id         TEXT    NOT NULL PRIMARY KEY,
    employee   TEXT    NOT NULL,
    compared   TEXT    NOT NULL,
    ends_with  TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    first_at   BIGINT  NOT NULL,
    last_at    BIGINT  NOT NULL,
    decision   TEXT,
    decided_at BIGINT,
    decided_by TEXT,
    UNIQUE (employee, compared)
);

-- What was compared when this session was last told that somebody has to look: showing the same again is no further try.
ALTER TABLE connector_identities ADD COLUMN review TEXT;
