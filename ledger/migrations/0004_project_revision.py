"""A project's revision rises with every change of what it asks, so that questions can be remembered by it."""

from django.db import migrations, models

FORWARD = """
CREATE FUNCTION ledger_project_is_revised() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ledger_project SET revision = revision + 1 WHERE id = coalesce(NEW.project_id, OLD.project_id);
    RETURN NULL;
END $$;
CREATE TRIGGER aspect_revises_project AFTER INSERT OR UPDATE OR DELETE ON ledger_aspect
    FOR EACH ROW EXECUTE FUNCTION ledger_project_is_revised();
CREATE TRIGGER guideline_revises_project AFTER INSERT OR UPDATE OR DELETE ON ledger_guidelineversion
    FOR EACH ROW EXECUTE FUNCTION ledger_project_is_revised();
"""

BACKWARD = """
DROP TRIGGER aspect_revises_project ON ledger_aspect;
DROP TRIGGER guideline_revises_project ON ledger_guidelineversion;
DROP FUNCTION ledger_project_is_revised();
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0003_project_routed")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="revision",
            field=models.PositiveIntegerField(
                default=0, help_text="raised by a trigger with every change of what is asked"
            ),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
