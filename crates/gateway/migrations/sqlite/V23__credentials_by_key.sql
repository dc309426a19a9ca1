-- What a key signed is found without reading what others signed, list by list, so that the lines of a key that is compromised
-- are written in pieces (decision 0051).
CREATE INDEX credentials_by_key ON credentials (organisation, kid, list);
