-- A name that the employee goes by, where the host told one: an identity is compared with it, too.
ALTER TABLE sidecar_people ADD COLUMN known_as TEXT;
