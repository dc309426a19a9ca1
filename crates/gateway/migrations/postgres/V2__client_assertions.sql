-- A client assertion works once: it is remembered by client and jti until it could no longer pass.
CREATE TABLE used_assertions (
    digest     TEXT    NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_assertions_by_expiry ON used_assertions (expires_at);
