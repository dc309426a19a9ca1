-- A revocation of many that two persons want: who uploaded it, which approved proposal began it, and in which second a
-- process last worked on it. Without a proposal it is the command line's, which works on it itself.
ALTER TABLE revocation_jobs ADD COLUMN uploaded_by TEXT;
ALTER TABLE revocation_jobs ADD COLUMN proposal TEXT;
ALTER TABLE revocation_jobs ADD COLUMN stepped_at INTEGER;
-- Who placed a hold, and the organisation to which they were confined: whoever is confined to it lifts no other.
ALTER TABLE legal_holds ADD COLUMN placed_by TEXT;
ALTER TABLE legal_holds ADD COLUMN placed_within TEXT;
-- What was done to one credential.
CREATE INDEX audit_entries_by_object ON audit_entries (object);
