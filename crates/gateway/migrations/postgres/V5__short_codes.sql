-- What a person types into a wallet instead of scanning; none until somebody asks for one, none once it is used.
ALTER TABLE interactions ADD COLUMN short_code TEXT;
CREATE UNIQUE INDEX interactions_by_short_code ON interactions (short_code);
