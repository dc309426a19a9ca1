-- The address as it is looked for. The portal folds it, since each engine folds other letters; what is there already, when it
-- starts.
ALTER TABLE portal_employees ADD COLUMN email_folded TEXT;
CREATE INDEX portal_employees_by_email ON portal_employees (email_folded);
