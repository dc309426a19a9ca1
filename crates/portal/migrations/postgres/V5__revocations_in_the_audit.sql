-- What the desk revoked, for whatever reason and whichever way through it that took: written with the step itself.
CREATE FUNCTION portal_credential_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO portal_audit (at, kind, actor, about, record, detail)
    VALUES (NEW.stage_at, 'credential-revoked', 'desk', NEW.employee, NEW.record, NEW.reason);
    RETURN NULL;
END
$$;
CREATE TRIGGER portal_credential_revoked AFTER UPDATE OF stage ON connector_credentials
FOR EACH ROW WHEN (NEW.stage <> OLD.stage AND NEW.stage = 'revoked')
EXECUTE FUNCTION portal_credential_revoked();
