-- How much retention removed on which day, by rule: that it ran, and what went. No row says whose it was. The rule `round` has a
-- row for each day on which it ran at all. (Decision 0045.)
CREATE TABLE retention_removals (
    -- Days since 1970, in UTC.
    day      BIGINT NOT NULL,
    rule     TEXT   NOT NULL,
    removed  BIGINT NOT NULL,
    rounds   BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (day, rule)
);
