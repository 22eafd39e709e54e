"""Background work on leases and on what is known of the people who hold them."""

from celery import shared_task
from django.utils import timezone

from annotate.actions import reclaim_expired, update_standing
from annotate.models import Notice
from annotate.notices import send_notice


@shared_task(name="annotate.tasks.reclaim_expired", ignore_result=True)
def reclaim_expired_leases() -> int:
    """Takes expired leases back, so that nobody's absence hoards work. Twice equals once."""
    return reclaim_expired(at=timezone.now())


@shared_task(ignore_result=True)
def score_gold(rater_id: int) -> None:
    """A person's standing on gold and on repeats, computed anew from the ledger. Twice equals once."""
    update_standing(rater_id, at=timezone.now())


@shared_task(ignore_result=True)
def mail_notice(notice_id: int) -> int:
    """Mails a notice to those who manage its project."""
    return send_notice(Notice.objects.select_related("project").get(pk=notice_id))
