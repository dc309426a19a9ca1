-- Who may use the gateway and for what, beside its configuration file. `body` is the declaration as JSON, `sealed` its
-- secrets, encrypted. The version rises with each change, so that nobody overwrites what they have not seen.
CREATE TABLE registry (
    kind         TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    organisation TEXT,
    body         TEXT   NOT NULL,
    sealed       BYTEA,
    version      BIGINT NOT NULL,
    changed_at   BIGINT NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Every version that ever was, without its secrets: what a credential type said when a credential was issued.
CREATE TABLE registry_history (
    kind       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    version    BIGINT NOT NULL,
    act        TEXT   NOT NULL,
    body       TEXT   NOT NULL,
    changed_at BIGINT NOT NULL,
    actor      TEXT   NOT NULL,
    PRIMARY KEY (kind, name, version)
);

-- Secrets that the gateway made for a relying party, as digests; several live at once while they are changed.
CREATE TABLE client_secrets (
    id           TEXT   NOT NULL PRIMARY KEY,
    client_id    TEXT   NOT NULL,
    digest       TEXT   NOT NULL UNIQUE,
    created_at   BIGINT NOT NULL,
    ends_at      BIGINT,
    last_used_at BIGINT
);
CREATE INDEX client_secrets_by_client ON client_secrets (client_id);

-- What was settled before a relying party went live, with the evidence and its date.
CREATE TABLE onboarding (
    client_id TEXT   NOT NULL,
    item      TEXT   NOT NULL,
    evidence  TEXT   NOT NULL,
    settled_on TEXT  NOT NULL,
    noted_at  BIGINT NOT NULL,
    actor     TEXT   NOT NULL,
    PRIMARY KEY (client_id, item)
);
