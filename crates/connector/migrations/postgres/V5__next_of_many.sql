-- What is due at one moment is done in the order in which it was wanted. Ten thousand revocations of one feed are due at
-- one moment: the next of them is found without sorting the others.

DROP INDEX connector_revocations_due;
CREATE INDEX connector_revocations_due ON connector_revocations (next_at, wanted_at, serial_number) WHERE done_at IS NULL;

DROP INDEX connector_mails_due;
CREATE INDEX connector_mails_due ON connector_mails (next_at, written_at, message_id)
    WHERE sent_at IS NULL AND failed_at IS NULL;

DROP INDEX connector_mails_to_look_at;
CREATE INDEX connector_mails_to_look_at ON connector_mails (look_at, message_id) WHERE look_at IS NOT NULL;

DROP INDEX connector_questions_due;
CREATE INDEX connector_questions_due ON connector_questions (next_at, wanted_at, serial_number);
