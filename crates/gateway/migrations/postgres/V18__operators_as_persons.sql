-- The token or session with which a token was made: whoever revokes that one revokes this one with it. (Decision 0039.)
ALTER TABLE operator_tokens ADD COLUMN made_with TEXT;
CREATE INDEX operator_tokens_made_with ON operator_tokens (made_with);

-- Whether whoever began it showed that it was still them. Otherwise it is confirmed only while nobody signs in here yet.
ALTER TABLE operator_set_ups ADD COLUMN proved BIGINT  NOT NULL DEFAULT 0;

-- Whether it is a program that `person` answers for. Otherwise, where `person` is another id, both are accounts of one person.
ALTER TABLE operators ADD COLUMN program BIGINT NOT NULL DEFAULT 0;
UPDATE operators SET program = 1 WHERE person <> id;

-- The role with which it was proposed: where its proposer has another one by now, nobody approves it.
ALTER TABLE proposals ADD COLUMN role TEXT;
