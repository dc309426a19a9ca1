-- The token with which a sign-in was first set up. Whoever revokes that one, or what it was made with, ends the sign-in with it.
-- NULL: its holder has shown another token of theirs since, or it was set up before this was written down. (Decision 0043.)
ALTER TABLE operator_sign_ins ADD COLUMN set_up_with TEXT;

-- Marks that were spent: what carries the same mark again is not done again. A digest of whose it is and of the mark.
CREATE TABLE spent_marks (
    digest     BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
