-- One row follows one interaction from the pushed request to the collected token.
-- `sealed` holds everything personal or secret, encrypted; it is wiped when the token is collected.
CREATE TABLE interactions (
    id              TEXT    NOT NULL PRIMARY KEY,
    version         BIGINT NOT NULL,
    organisation    TEXT    NOT NULL,
    client_id       TEXT    NOT NULL,
    purpose         TEXT    NOT NULL,
    credential_type TEXT    NOT NULL,
    reference       TEXT    NOT NULL,
    stage           TEXT    NOT NULL,
    stage_at        BIGINT NOT NULL,
    outcome         TEXT,
    bound_to        TEXT,
    link            TEXT    UNIQUE,
    link_here       TEXT    UNIQUE,
    request_digest  TEXT    NOT NULL,
    browser_digest  TEXT,
    response_digest TEXT    UNIQUE,
    released        BIGINT NOT NULL,
    code_digest     TEXT    UNIQUE,
    code_expires_at BIGINT,
    serial_number   TEXT,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    sealed          BYTEA
);
CREATE INDEX interactions_by_request ON interactions (request_digest, browser_digest);
CREATE INDEX interactions_by_expiry ON interactions (expires_at);
-- What is yet to be wiped is few among what is kept.
CREATE INDEX interactions_to_wipe ON interactions (expires_at) WHERE sealed IS NOT NULL;

-- Every credential ever issued, written before it leaves the gateway.
CREATE TABLE credentials (
    serial_number     TEXT    NOT NULL PRIMARY KEY,
    organisation      TEXT    NOT NULL,
    client_id         TEXT    NOT NULL,
    credential_type   TEXT    NOT NULL,
    format            TEXT    NOT NULL,
    interaction       TEXT    NOT NULL,
    list              BIGINT NOT NULL,
    list_index        BIGINT NOT NULL,
    issued_at         BIGINT NOT NULL,
    expires_at        BIGINT,
    revoked_at        BIGINT,
    revocation_reason TEXT,
    UNIQUE (organisation, list, list_index)
);
CREATE INDEX credentials_by_interaction ON credentials (interaction);

-- The revision rises with each revocation, so that a cached list knows when it is stale.
CREATE TABLE status_lists (
    organisation TEXT    NOT NULL,
    list         BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    PRIMARY KEY (organisation, list)
);

-- A c_nonce is stateless until it is used; used ones are remembered until they would have expired.
CREATE TABLE used_nonces (
    digest     TEXT    NOT NULL PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_nonces_by_expiry ON used_nonces (expires_at);
