-- What a key signed is found without reading what others signed, list by list, so that the lines of a key that is compromised
-- are written in pieces (decision 0051). While this is made PostgreSQL lets nobody issue or revoke: a second or two for each
-- million credentials. Whoever cannot wait makes it beforehand with CREATE INDEX CONCURRENTLY (docs/operate/gateway.md).
CREATE INDEX IF NOT EXISTS credentials_by_key ON credentials (organisation, kid, list);
