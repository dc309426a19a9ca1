-- When a wallet came, and when it answered: an interaction's stage knows its last time only.
ALTER TABLE interactions ADD COLUMN scanned_at INTEGER;
ALTER TABLE interactions ADD COLUMN answered_at INTEGER;

-- What went wrong on the way, and would be forgotten by what came after: a refusal that the person tried again after,
-- a token that was refused. What goes well needs no row here.
CREATE TABLE interaction_steps (
    interaction TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    step        TEXT    NOT NULL,
    cause       TEXT    NOT NULL,
    PRIMARY KEY (interaction, at, step, cause)
) STRICT;

-- One row for each minute in which a process was there, and whether it could do its work.
CREATE TABLE heartbeats (
    minute  INTEGER NOT NULL,
    process TEXT    NOT NULL,
    ready   INTEGER NOT NULL,
    PRIMARY KEY (minute, process)
) STRICT;

-- What must stay although its time is over, and why. `kind` is `organisation` or `interaction`.
CREATE TABLE legal_holds (
    kind      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    placed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
) STRICT;
