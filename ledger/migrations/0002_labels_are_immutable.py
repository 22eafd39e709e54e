"""A trigger that keeps the ledger a ledger: a label may only be marked superseded, once."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION ledger_label_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- Generated columns are not computed yet when a BEFORE trigger runs.
    derived text[] := ARRAY['superseded', 'strength', 'score'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('switchyard.erasing', true) = 'on' THEN RETURN OLD; END IF;
        RAISE EXCEPTION 'label % is part of the ledger and cannot be deleted', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.superseded IS NOT NULL OR NEW.superseded IS NULL
       OR (to_jsonb(NEW) - derived) IS DISTINCT FROM (to_jsonb(OLD) - derived) THEN
        RAISE EXCEPTION 'label % is part of the ledger: it can only be superseded, once', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER label_is_immutable BEFORE UPDATE OR DELETE ON ledger_label
    FOR EACH ROW EXECUTE FUNCTION ledger_label_is_immutable();
"""

BACKWARD = """
DROP TRIGGER label_is_immutable ON ledger_label;
DROP FUNCTION ledger_label_is_immutable();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
