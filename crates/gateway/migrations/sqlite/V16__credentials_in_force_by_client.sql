-- A relying party asks page by page which of its credentials are in force.
CREATE INDEX credentials_in_force ON credentials (client_id, serial_number) WHERE revoked_at IS NULL;
