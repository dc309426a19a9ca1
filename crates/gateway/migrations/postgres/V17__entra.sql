-- A request that was made of Microsoft Entra Verified ID: whom its callbacks are about, and what they must bring. The state and
-- the key are here as digests; whoever has a copy of this table can send no callback.
CREATE TABLE entra_requests (
    state_digest TEXT   NOT NULL PRIMARY KEY,
    key_digest   TEXT   NOT NULL,
    organisation TEXT   NOT NULL,
    interaction  TEXT   NOT NULL,
    -- The interaction's link when it was made: 'Start again' makes another, and ends this.
    link         TEXT   NOT NULL,
    -- The service's own name for it; a callback may come before we know it.
    request_id   TEXT,
    expires_at   BIGINT NOT NULL,
    retrieved_at BIGINT,
    ended_at     BIGINT
);
CREATE INDEX entra_requests_by_expiry ON entra_requests (expires_at);
