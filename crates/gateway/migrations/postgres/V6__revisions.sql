-- One row for each thing that may change while processes run: whoever changes it raises its number in the same batch, and
-- a process that finds another number than the one it knows reads the thing anew.
CREATE TABLE revisions (
    name     TEXT   NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);
