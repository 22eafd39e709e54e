"""Background work on leases."""

from celery import shared_task
from django.utils import timezone

from annotate.actions import reclaim_expired


@shared_task(name="annotate.tasks.reclaim_expired", ignore_result=True)
def reclaim_expired_leases() -> int:
    """Takes expired leases back, so that nobody's absence hoards work. Twice equals once."""
    return reclaim_expired(at=timezone.now())
