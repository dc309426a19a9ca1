-- How a session began: `password`, or `provider` for the organisation's own OpenID provider.
ALTER TABLE portal_sessions ADD COLUMN method TEXT;

-- Log-ins at the provider that are under way, under the SHA-256 of the browser's token and the `state` together.
-- `pending` is a JSON object with nonce and code verifier: of no use without both of those, and deleted with the callback
-- or after a quarter of an hour.
CREATE TABLE portal_log_ins (
    digest     TEXT    NOT NULL PRIMARY KEY,
    pending    TEXT    NOT NULL,
    return_to  TEXT,
    started_at BIGINT  NOT NULL
);
CREATE INDEX portal_log_ins_by_started ON portal_log_ins (started_at);

-- Where somebody or something comes from: `feed` for a CSV file or a view, nothing for the staff file. What vanishes from
-- the feed is deleted, and whoever vanishes from it has left: they can no longer log in. `facts` is a JSON object of texts:
-- what else is known of a person, for the rules about whom the staff passport applies to.
ALTER TABLE portal_employees ADD COLUMN source TEXT;
ALTER TABLE portal_employees ADD COLUMN facts TEXT;
ALTER TABLE portal_employees ADD COLUMN left_at BIGINT;
ALTER TABLE portal_records ADD COLUMN source TEXT;

-- Who did or saw what, and about whom: ids and codes, no values. `actor` and `about` are employees' ids; `hr` and `feed` are
-- no employee's. Nothing refers to an employee, so that a row outlives them.
CREATE TABLE portal_audit (
    id     BIGINT  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at     BIGINT  NOT NULL,
    kind   TEXT    NOT NULL,
    actor  TEXT    NOT NULL,
    about  TEXT,
    record TEXT,
    detail TEXT
);
CREATE INDEX portal_audit_by_at ON portal_audit (at);
CREATE INDEX portal_audit_by_about ON portal_audit (about, id);
