-- What the desk revoked, for whatever reason and whichever way through it that took: written with the step itself.
CREATE TRIGGER portal_credential_revoked AFTER UPDATE OF stage ON connector_credentials
WHEN NEW.stage <> OLD.stage AND NEW.stage = 'revoked'
BEGIN
    INSERT INTO portal_audit (at, kind, actor, about, record, detail)
    VALUES (NEW.stage_at, 'credential-revoked', 'desk', NEW.employee, NEW.record, NEW.reason);
END;
