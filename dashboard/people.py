"""How each member of a project is doing: what the page about people reads."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from dashboard.remembering import remembered, watermark
from ledger.models import Member, Project, Rater

# Of each person: submissions, the last one, the median time of a label, and the share of other people's live
# votes on the same instance and aspect that point the same way (a tie is a way of its own).
WORK = """
    SELECT r.id, count(a.id), max(a.ended_at),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.ended_at - a.leased_at))
    FROM ledger_rater r JOIN annotate_assignment a ON a.rater_id = r.id AND a.status = 'submitted'
    WHERE r.project_id = %s AND r.kind = 'person' GROUP BY r.id
"""
VOTES = """
    WITH votes AS (
        SELECT l.rater_id, l.instance_id, l.aspect_id, sign(l.strength) AS vote
        FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
        WHERE l.project_id = %(project)s AND l.superseded IS NULL AND l.repeat = 0 AND r.kind = 'person'
          AND l.strength IS NOT NULL
    )
    SELECT a.rater_id, count(*), count(*) FILTER (WHERE a.vote = b.vote)
    FROM votes a JOIN votes b USING (instance_id, aspect_id)
    WHERE a.rater_id <> b.rater_id GROUP BY a.rater_id
"""
LABELS = """
    SELECT l.rater_id, count(DISTINCT l.instance_id),
        percentile_cont(0.5) WITHIN GROUP (ORDER BY l.duration_ms) / 1000.0
    FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
    WHERE l.project_id = %s AND l.superseded IS NULL AND r.kind = 'person' GROUP BY l.rater_id
"""


@dataclass
class Progress:
    """One person's work: instances labelled, seconds a label, agreement with other people."""

    labelled: int = 0
    seconds: float | None = None
    last: datetime | None = None
    compared: int = 0
    agreed: int = 0

    @property
    def agreement(self) -> float | None:
        return self.agreed / self.compared if self.compared else None


def progress_by_rater(project: Project) -> dict[int, Progress]:
    """Of every person in the project, whether a member or imported; kept until a label is added."""
    return remembered(project, "people", str(watermark(project)), lambda: read_progress(project))


def read_progress(project: Project) -> dict[int, Progress]:
    found: dict[int, Progress] = {}
    for rater, labelled, seconds in fetch(LABELS, [project.pk]):
        found[rater] = Progress(labelled=labelled, seconds=None if seconds is None else float(seconds))
    for rater, _submitted, last, seconds in fetch(WORK, [project.pk]):
        each = found.setdefault(rater, Progress())
        each.last = last
        each.seconds = each.seconds if each.seconds is not None else float(seconds)
    for rater, compared, agreed in fetch(VOTES, {"project": project.pk}):
        found[rater].compared, found[rater].agreed = compared, agreed
    return found


def fetch(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@dataclass
class Person:
    """A member beside their progress."""

    member: Member
    progress: Progress


def members_of(project: Project) -> list[Person]:
    """All members, those removed last; each with what they have done."""
    progress = progress_by_rater(project)
    raters = dict(
        Rater.objects.people().filter(project=project, user__isnull=False).values_list("user_id", "pk")
    )
    order = {Member.Status.ACTIVE: 0, Member.Status.PAUSED: 1, Member.Status.REMOVED: 2}
    members = project.members.select_related("user").order_by("joined", "pk")
    people = [Person(each, progress.get(raters.get(each.user_id, 0), Progress())) for each in members]
    return sorted(people, key=lambda person: order[Member.Status(person.member.status)])


def imported_people(project: Project) -> int:
    """How many people's labels came with the data and belong to no account."""
    return Rater.objects.people().filter(project=project, user=None).count()
