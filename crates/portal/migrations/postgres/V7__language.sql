-- The language in which the employee wishes to be written and spoken to ('en', 'cy'), where the record says one.
ALTER TABLE portal_employees ADD COLUMN language TEXT;
