"""What members labelled elsewhere counts as had; so do the labels that were imported before."""

from django.db import migrations, models

IMPORTED = """
    INSERT INTO annotate_assignment (project_id, instance_id, rater_id, "order", repeat, status, leased_at,
        expires_at, reason)
    SELECT l.project_id, l.instance_id, l.rater_id, '{}', 0, 'elsewhere', min(l.created),
        min(l.created) + interval '1 second', ''
    FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
    WHERE r.kind = 'person' AND r.user_id IS NOT NULL AND l.superseded IS NULL
      AND NOT EXISTS (SELECT FROM annotate_assignment a
                      WHERE a.rater_id = l.rater_id AND a.instance_id = l.instance_id AND a.repeat = 0
                        AND a.status NOT IN ('expired', 'withdrawn'))
    GROUP BY l.project_id, l.instance_id, l.rater_id
    ON CONFLICT DO NOTHING
"""
FORGET = "DELETE FROM annotate_assignment WHERE status = 'elsewhere'"


class Migration(migrations.Migration):

    dependencies = [
        ('annotate', '0005_flags'),
        ('ledger', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='assignment',
            name='status',
            field=models.CharField(choices=[('leased', 'Leased'), ('submitted', 'Submitted'), ('skipped', 'Skipped'), ('expired', 'Expired'), ('withdrawn', 'Withdrawn'), ('elsewhere', 'Labelled elsewhere')], default='leased', max_length=9),
        ),
        migrations.RunSQL(IMPORTED, FORGET),
    ]
