-- How many credentials one person revoked within the hour is asked at each of them.
CREATE INDEX audit_entries_by_actor ON audit_entries (actor, happened_at);
-- An event about a signing key: which, and what it signed.
ALTER TABLE events ADD COLUMN signing_key TEXT;
ALTER TABLE events ADD COLUMN key_purpose TEXT;
