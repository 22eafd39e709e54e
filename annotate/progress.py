"""How far along a person is, and how much is left: what the bar of the work screen says."""

from typing import Any

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from annotate.actions.mixing import mixes
from annotate.models import Seat
from annotate.quotas import morning_of, quota_of
from ledger.desk import Desk
from ledger.models import Project
from web.sql import prepared

EXACT_COUNT = 1000  # fewer open seats than this are counted for every page
COUNT_SECONDS = 30  # how long a larger number of open seats is remembered

# What the rater has submitted since a moment, and the open seats, of which at most `most` are counted.
COUNTS = """
    SELECT
        (SELECT count(*) FROM annotate_assignment
         WHERE project_id = %(project)s AND rater_id = %(rater)s AND status = 'submitted'
           AND ended_at >= %(since)s::timestamptz),
        (SELECT count(*) FROM (
            SELECT FROM annotate_seat WHERE project_id = %(project)s AND status = 'open' LIMIT %(most)s) few)
"""


def progress(desk: Desk) -> dict[str, Any]:
    """How much the caller has done, and how much is left for anyone; today's quota where there is one."""
    quota = quota_of(desk.project, desk.member).daily
    since = morning_of(timezone.now()) if quota else "-infinity"
    most = 0 if quota or mixes(desk.project) else EXACT_COUNT
    values = {"project": desk.project.pk, "rater": desk.rater_id, "since": since, "most": most}
    ((done, few),) = prepared(COUNTS, values)
    if quota:
        words = _("%(n)s of %(all)s today") % {"n": done, "all": quota}
        return {"done": done, "total": quota, "words": words}
    if not most:  # a number that stood still would tell what was mixed in
        return {"done": done, "total": 0, "words": _("%(n)s done") % {"n": done}}
    left = few if few < EXACT_COUNT else many_seats_left(desk.project)
    words = _("%(n)s done, %(left)s left") % {"n": done, "left": left}
    return {"done": done, "total": done + left, "words": words}


def many_seats_left(project: Project) -> int:
    """Open seats where they are many, at most half a minute old: counting a million would cost more than a page."""
    seats = Seat.objects.filter(project=project, status=Seat.Status.OPEN)
    return cache.get_or_set(f"seats-left:{project.pk}", seats.count, COUNT_SECONDS) or 0
