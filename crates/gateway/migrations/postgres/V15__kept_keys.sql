-- Keys that were derived from the oldest storage secret, and must stay when that secret goes: by them a relying party knows a
-- person again, a state is found again, and a decoy of a status list stays one. Written when a storage secret is changed.
CREATE TABLE kept_keys (
    name   TEXT NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL
);
