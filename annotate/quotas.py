"""Quotas: how much one person may do in a day and in all, from the project's settings or their own."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from ledger.models import Member, Project
from web.sql import prepared

DONE = """
    SELECT count(*) FILTER (WHERE ended_at >= %(morning)s), count(*) FROM annotate_assignment
    WHERE project_id = %(project)s AND rater_id = %(rater)s AND status = 'submitted'
      AND ended_at >= %(since)s::timestamptz
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many submissions a day (from midnight in the site's time zone) and in all; None: no limit."""

    daily: int | None = None
    total: int | None = None

    def __bool__(self) -> bool:
        return self.daily is not None or self.total is not None


@dataclass(frozen=True, slots=True)
class Done:
    """How much of a quota is used up."""

    quota: Quota
    today: int
    ever: int

    @property
    def day_is_done(self) -> bool:
        return self.quota.daily is not None and self.today >= self.quota.daily

    @property
    def all_is_done(self) -> bool:
        return self.quota.total is not None and self.ever >= self.quota.total

    def __bool__(self) -> bool:
        """Whether nothing more is handed out for now."""
        return self.day_is_done or self.all_is_done


def quota_of(project: Project, member: Member | None) -> Quota:
    """The member's own limits, each falling back on the project's."""
    own = member.settings.get("quota", {}) if member else {}
    return Quota(**{**project.settings.get("quota", {}), **own})


def morning_of(at: datetime) -> datetime:
    """When the day of `at` began, in the site's time zone."""
    return timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)


def done_by(project: Project, rater_id: int, quota: Quota, *, at: datetime) -> Done:
    """What the rater has submitted, corrections and withdrawn work left out. `ever` is counted for a total only.

    Gold and probes count: whoever does them has worked.
    """
    morning = morning_of(at)
    since = "-infinity" if quota.total is not None else morning
    rows = prepared(DONE, {"project": project.pk, "rater": rater_id, "morning": morning, "since": since})
    return Done(quota, *rows[0])


@dataclass(frozen=True, slots=True)
class Why:
    """Why somebody is given nothing, in words."""

    title: str
    text: str


def why_nothing(project: Project, rater_id: int, member: Member | None, *, at: datetime) -> Why | None:
    """What the page says where a quota is the cause; None where there is just no open work."""
    quota = quota_of(project, member)
    done = done_by(project, rater_id, quota, at=at) if quota else None
    if not done:
        return None
    if done.all_is_done:
        text = _("You have done all %(n)s that you were asked for here. Thank you.") % {"n": quota.total}
        return Why(_("Your quota is done"), text)
    text = _("You have done %(n)s today, as many as a day asks for. More is waiting tomorrow.") % {
        "n": quota.daily
    }
    return Why(_("Your quota for today is done"), text)
