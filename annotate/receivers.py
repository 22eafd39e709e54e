"""What the ledger's news means for open work."""

from typing import Any

from django.dispatch import receiver
from django.utils import timezone

from annotate.actions import open_seats, reseat_project, withdraw_leases
from ledger.models import Member, Project
from ledger.signals import instances_added, member_status_changed, overlap_changed


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
