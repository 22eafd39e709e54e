"""What the ledger's news means for the dashboard."""

from typing import Any

from django.dispatch import receiver

from dashboard.tasks import index_project
from ledger.models import Project
from ledger.signals import instances_added


@receiver(instances_added)
def words_for_new_instances(sender: type, *, project: Project, **kwargs: Any) -> None:
    index_project.delay_on_commit(project.pk)
