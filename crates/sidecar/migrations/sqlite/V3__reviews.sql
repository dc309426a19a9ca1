-- An identity that somebody has to look at is an event, too. It is about no credential: `record`, `credential_type` and
-- `serial_number` are empty, and `reason` holds what the comparison found.
ALTER TABLE sidecar_events ADD COLUMN review TEXT;

CREATE TRIGGER sidecar_identity_in_doubt AFTER INSERT ON connector_reviews
BEGIN
    UPDATE sidecar_stream SET last_sequence = last_sequence + 1 WHERE id = 1;
    INSERT INTO sidecar_events
        (sequence, kind, employee, record, credential_type, serial_number, reason, happened_at, offered_at, delivery, attempts,
         review)
    SELECT last_sequence, 'identity.review', NEW.employee, '', '', '', NEW.why, NEW.first_at, NEW.first_at, 'due', 0, NEW.id
    FROM sidecar_stream WHERE id = 1;
END;
