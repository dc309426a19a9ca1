-- A revocation by the operator has a reason of a closed list; a suspension, too, and it may end.
ALTER TABLE credentials ADD COLUMN revocation_code TEXT;
ALTER TABLE credentials ADD COLUMN suspended_at BIGINT;
ALTER TABLE credentials ADD COLUMN suspension_code TEXT;
-- A list is made of the few of its credentials that do not count.
CREATE INDEX credentials_revoked ON credentials (organisation, list, list_index) WHERE revoked_at IS NOT NULL;
CREATE INDEX credentials_suspended ON credentials (organisation, list, list_index) WHERE suspended_at IS NOT NULL;

-- Many credentials that one person wants revoked: what was asked for, and how far it has come.
CREATE TABLE revocation_jobs (
    id              TEXT   NOT NULL PRIMARY KEY,
    organisation    TEXT   NOT NULL,
    credential_type TEXT,
    code            TEXT   NOT NULL,
    reason          TEXT   NOT NULL,
    ticket          TEXT   NOT NULL,
    pace            BIGINT NOT NULL,
    stage           TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    finished_at     BIGINT
);
-- One row for each serial number of it; without an outcome until its turn has come.
CREATE TABLE revocation_job_lines (
    job           TEXT   NOT NULL,
    organisation  TEXT   NOT NULL,
    serial_number TEXT   NOT NULL,
    outcome       TEXT,
    done_at       BIGINT,
    PRIMARY KEY (job, serial_number)
);
CREATE INDEX revocation_job_lines_due ON revocation_job_lines (job, serial_number) WHERE outcome IS NULL;
