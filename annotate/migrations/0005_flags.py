"""Flags become rows of their own; what was flagged before is taken over from the skips under `flag: …`."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

TAKE_OVER = """
    INSERT INTO annotate_flag (assignment_id, project_id, created, note)
    SELECT id, project_id, coalesce(ended_at, leased_at), '' FROM annotate_assignment
    WHERE status = 'skipped' AND reason LIKE 'flag: %'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('annotate', '0004_onboarding'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Flag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('created', models.DateTimeField(default=django.utils.timezone.now)),
                ('resolved', models.DateTimeField(null=True)),
                ('note', models.CharField(blank=True, help_text='what came of it', max_length=500)),
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='flag', to='annotate.assignment')),
                ('project', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='flags', to='ledger.project')),
                ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='resolved_flags', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'resolved', 'created'], name='flags_of_project')],
            },
        ),
        migrations.AddIndex(
            model_name='assignment',
            index=models.Index(condition=models.Q(('status', 'skipped')), fields=['project', 'reason'], name='skips_of_project'),
        ),
        migrations.RunSQL(TAKE_OVER, migrations.RunSQL.noop),
    ]
