-- The language that a mail is written in, where the host says one.
ALTER TABLE connector_people ADD COLUMN language TEXT;

-- What became of a mail: 'queued', 'accepted', 'delivered', 'temporary-failure', 'permanent-failure' or
-- 'technical-failure', since `state_at`. `sent_at` stays the time at which it was accepted; after a temporary failure it
-- is empty again, and the mail is due at `next_at`. `failed_at` is the end of trying.
ALTER TABLE connector_mails ADD COLUMN state TEXT NOT NULL DEFAULT 'queued';
ALTER TABLE connector_mails ADD COLUMN state_at BIGINT;
-- How it was accepted ('smtp' or 'notify'), and by which id GOV.UK Notify knows the last try.
ALTER TABLE connector_mails ADD COLUMN channel TEXT;
ALTER TABLE connector_mails ADD COLUMN notification_id TEXT;
-- When to ask what became of it, if nobody tells; how often it has been asked.
ALTER TABLE connector_mails ADD COLUMN look_at BIGINT;
ALTER TABLE connector_mails ADD COLUMN looks BIGINT NOT NULL DEFAULT 0;
-- How often it could not be delivered for now.
ALTER TABLE connector_mails ADD COLUMN bounces BIGINT NOT NULL DEFAULT 0;
-- A mail is tried for three days from its first try: one that was held back has its days, too.
ALTER TABLE connector_mails ADD COLUMN first_tried_at BIGINT;
-- The same words as `body`, as values for a template that is kept elsewhere.
ALTER TABLE connector_mails ADD COLUMN personalisation TEXT NOT NULL DEFAULT '{}';
ALTER TABLE connector_mails ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
UPDATE connector_mails SET state = 'accepted', state_at = sent_at, channel = 'smtp' WHERE sent_at IS NOT NULL;
UPDATE connector_mails SET state = 'permanent-failure', state_at = failed_at
    WHERE failed_at IS NOT NULL AND sent_at IS NULL;
UPDATE connector_mails SET first_tried_at = written_at WHERE attempts > 0;
CREATE INDEX connector_mails_by_notification ON connector_mails (notification_id);
CREATE INDEX connector_mails_to_look_at ON connector_mails (look_at) WHERE look_at IS NOT NULL;

-- When somebody told the employee another way.
ALTER TABLE connector_revocations ADD COLUMN told_at BIGINT;

-- Mails that wait until a person lets them go: those to an employee (`scope` 'employee') or about one credential
-- ('credential'). They hold up no revocation.
CREATE TABLE connector_mail_holds (
    scope   TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    held_at BIGINT NOT NULL,
    PRIMARY KEY (scope, name)
);
