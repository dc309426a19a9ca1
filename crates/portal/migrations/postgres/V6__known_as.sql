-- A name that the employee goes by, where HR holds one: an identity is compared with it, too.
ALTER TABLE portal_employees ADD COLUMN known_as TEXT;
