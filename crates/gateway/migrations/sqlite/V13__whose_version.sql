-- Whose each version was: an operator of one organisation reads no version of what was another's under the same name.
ALTER TABLE registry_history ADD COLUMN organisation TEXT;
