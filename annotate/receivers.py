"""What the ledger's news means for open work."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from annotate.actions import (
    follow_overlap,
    open_seats,
    reseat_project,
    withdraw_leases,
)
from ledger.models import Label, Member, Project
from ledger.signals import (
    instances_added,
    labels_written,
    member_status_changed,
    overlap_changed,
    settings_changed,
)


@receiver(instances_added)
def seats_for_new_instances(
    sender: type, *, project: Project, instance_ids: list[int], **kwargs: Any
) -> None:
    open_seats(project, instance_ids)


@receiver(overlap_changed)
def seats_for_new_overlap(sender: type, *, project: Project, **kwargs: Any) -> None:
    reseat_project(project)


@receiver(member_status_changed)
def leases_of_changed_member(sender: type, *, project: Project, member: Member, **kwargs: Any) -> None:
    """Whoever was paused or removed holds nothing any more."""
    if member.status != Member.Status.ACTIVE:
        withdraw_leases(project, member.user_id, at=timezone.now())


@receiver(labels_written)
def overlap_after_labels(
    sender: type, *, project: Project, label_ids: list[int], instance_ids: list[int], **kwargs: Any
) -> None:
    """In the transaction of the labels, where overlap is dynamic and people have spoken."""
    if project.settings.get("overlap") and Label.objects.by_people().filter(pk__in=label_ids).exists():
        follow_overlap(project, instance_ids)


@receiver(settings_changed)
def work_after_settings(sender: type, *, project: Project, before: dict[str, Any], **kwargs: Any) -> None:
    if project.settings.get("overlap") != before.get("overlap"):
        reseat_project(project)
