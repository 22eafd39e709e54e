"""What judge workers do, on the queue `judges`: one task a chunk, safe to run twice, acknowledged when
done.
"""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from judges.actions import end_run, run_chunk, take_up_lost
from judges.caching import prune
from judges.models import JudgeRun
from web.problems import Problem


@shared_task(acks_late=True, reject_on_worker_lost=True, ignore_result=True)
def work_on_chunk(pk: int) -> None:
    """Judge one chunk; a problem that every chunk would meet ends the run and says why."""
    try:
        run_chunk(pk, at=timezone.now())
    except Problem as problem:
        end_run(JudgeRun.objects.get(chunks=pk), problem)


@shared_task(ignore_result=True)
def take_up_lost_chunks() -> int:
    """Send again what silent workers left behind."""
    return take_up_lost(at=timezone.now())


@shared_task(ignore_result=True)
def prune_cached_answers() -> int:
    """Drop the answers that are older, or more, than the settings keep."""
    return prune(at=timezone.now(), days=settings.CACHED_ANSWER_DAYS, megabytes=settings.CACHED_ANSWER_MB)
