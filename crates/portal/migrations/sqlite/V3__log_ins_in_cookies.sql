-- `portal_log_ins` is what the version before wrote; it is written no more.
-- A log-in at the provider that is under way is in a sealed cookie of its browser. What is kept, under the SHA-256 of its
-- `state`, is that it succeeded, for the quarter of an hour in which the cookie would open again.
CREATE TABLE portal_finished_log_ins (
    digest      TEXT    NOT NULL PRIMARY KEY,
    finished_at INTEGER NOT NULL
) STRICT;
CREATE INDEX portal_finished_log_ins_by_time ON portal_finished_log_ins (finished_at);
