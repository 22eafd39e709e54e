"""What the ledger's news means for open work."""

from typing import Any

from django.dispatch import receiver

from annotate.actions import open_seats, reseat_project
from ledger.models import Project
from ledger.signals import instances_added, overlap_changed


@receiver(instances_added)
def seats_for_new_instances(
    sender: type, *, project: Project, instance_ids: list[int], **kwargs: Any
) -> None:
    open_seats(project, instance_ids)


@receiver(overlap_changed)
def seats_for_new_overlap(sender: type, *, project: Project, **kwargs: Any) -> None:
    reseat_project(project)
