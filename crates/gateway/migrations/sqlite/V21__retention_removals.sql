-- How much retention removed on which day, by rule: that it ran, and what went. No row says whose it was. The rule `round` has a
-- row for each day on which it ran at all. (Decision 0045.)
CREATE TABLE retention_removals (
    -- Days since 1970, in UTC.
    day      INTEGER NOT NULL,
    rule     TEXT    NOT NULL,
    removed  INTEGER NOT NULL,
    rounds   INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    PRIMARY KEY (day, rule)
) STRICT;
