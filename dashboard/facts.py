"""A project in figures, and what to do next: what the overview reads."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from dashboard.remembering import remembered, watermark
from exports.models import Snapshot
from judges.models import JudgeRun
from ledger.models import Project
from routing.models import Preference, Route

FRESH = timedelta(days=7)

COUNTS = """
    SELECT
        (SELECT count(*) FROM ledger_instance WHERE project_id = %(project)s),
        (SELECT count(*) FROM ledger_instance WHERE project_id = %(project)s AND created > %(since)s),
        (SELECT count(*) FROM annotate_seat WHERE project_id = %(project)s AND status IN ('open', 'held')),
        (SELECT count(*) FROM judges_judgerun WHERE project_id = %(project)s AND status = 'running')
"""
LABELLED = """
    WITH live AS (
        SELECT l.instance_id, bool_or(r.kind = 'person') AS person, bool_or(r.kind = 'judge') AS judge
        FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
        WHERE l.project_id = %(project)s AND l.superseded IS NULL GROUP BY l.instance_id
    ), routed AS (
        SELECT d.instance_id FROM routing_decision d JOIN routing_route t ON t.id = d.route_id
        WHERE t.project_id = %(project)s AND t.replaced IS NULL AND d.way IN ('human', 'both')
    )
    SELECT count(*) FILTER (WHERE person), count(*) FILTER (WHERE judge),
        (SELECT count(*) FROM routed),
        (SELECT count(*) FROM routed JOIN live USING (instance_id) WHERE live.person),
        (SELECT coalesce(sum(cost), 0) FROM ledger_label WHERE project_id = %(project)s)
    FROM live
"""


@dataclass(frozen=True)
class Facts:
    """The counts of the overview's first row."""

    instances: int
    fresh: int  # of them, arrived within FRESH
    waiting: int  # seats open or held
    running: int  # judge runs
    by_people: int  # instances with a live label by a person
    by_judges: int
    routed: int  # instances that the live route sends to people; 0 without a route
    routed_done: int  # of them, with a label by a person
    spent: Decimal  # on labels, in the project's currency


def facts_of(project: Project) -> Facts:
    """Two queries; the one over all labels only when a label or a route was added."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, {"project": project.pk, "since": timezone.now() - FRESH})
        instances, fresh, waiting, running = cursor.fetchone()
    live = Route.objects.live().filter(project=project).values_list("pk", flat=True).first()
    mark = f"{watermark(project)}/{live}"
    return Facts(
        instances, fresh, waiting, running, *remembered(project, "facts", mark, lambda: labelled(project))
    )


def labelled(project: Project) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(LABELLED, {"project": project.pk})
        return cursor.fetchone()


# ---------------------------------------------------------------- next


@dataclass(frozen=True)
class Step:
    """Something to do: a tone (good, act, warn), a sentence, a word that leads there, and where."""

    tone: str
    text: str | Promise
    link: str | Promise
    view: str
    query: str = ""

    @property
    def address(self) -> str:
        return f"dashboard:{self.view}"


def next_steps(project: Project, facts: Facts, *, weak: str, disputed: int, leaning: int) -> list[Step]:
    """What the state of the project asks for, most pressing first.

    weak: the name of a judge below the baseline; disputed: undecided instances; leaning: people who prefer
    what is shown first.
    """
    if project.archived:
        return [
            Step("act", _("The project is archived; nobody is given work."), _("Open it again"), "settings")
        ]
    if not facts.instances:
        return [
            Step("act", _("Import instances: prompts with two or more responses."), _("Import"), "imports")
        ]
    steps = [*judging(project, facts, weak), *routing(facts), *labelling(facts, disputed, leaning)]
    return [*steps, *exporting(project, facts)]


def judging(project: Project, facts: Facts, weak: str) -> list[Step]:
    if facts.running:
        return [Step("act", _("A judge is at work."), _("Watch"), "judges")]
    if weak:
        text = _("%s agrees with people less than taking the longer response would.") % weak
        return [Step("warn", text, _("Look"), "judges")]
    if not facts.by_judges:
        return [
            Step(
                "act",
                _("Run a judge: its labels are cheap and show where people are needed."),
                _("Judge"),
                "judges",
            )
        ]
    last = JudgeRun.objects.filter(project=project).latest_first().first()
    if last is not None and last.status == JudgeRun.Status.FAILED:
        return [Step("warn", _("The last judge run failed: %s") % last.problem[:120], _("Look"), "judges")]
    return []


def routing(facts: Facts) -> list[Step]:
    if facts.by_judges and not facts.routed:
        text = _("Set a budget and route: only what needs a person goes to people.")
        return [Step("act", text, _("Route"), "routing")]
    return []


def labelling(facts: Facts, disputed: int, leaning: int) -> list[Step]:
    steps = []
    if leaning:
        text = ngettext_lazy(
            "%(n)s person prefers what is shown first far more often than chance.",
            "%(n)s people prefer what is shown first far more often than chance.",
            leaning,
        ) % {"n": leaning}
        steps.append(Step("warn", text, _("Look"), "quality"))
    if disputed:
        text = ngettext_lazy(
            "%(n)s instance is undecided: its raters diverge.",
            "%(n)s instances are undecided: their raters diverge.",
            disputed,
        ) % {"n": disputed}
        steps.append(Step("act", text, _("See them"), "instances", "?disagreement=undecided"))
    if facts.waiting:
        text = ngettext_lazy(
            "%(n)s label by a person is still to be given.",
            "%(n)s labels by people are still to be given.",
            facts.waiting,
        ) % {"n": f"{facts.waiting:,}"}
        steps.append(Step("act", text, _("Invite"), "people"))
    return steps


def exporting(project: Project, facts: Facts) -> list[Step]:
    snapshot = Snapshot.objects.of(project).newest_first().first()
    if snapshot is not None:
        text = _("Snapshot %(version)s can be downloaded: %(rows)s rows, hash %(hash)s…") % {
            "version": snapshot.version,
            "rows": f"{snapshot.rows:,}",
            "hash": snapshot.hash[:8],
        }
        return [Step("good", text, _("Export"), "exports")]
    if facts.by_people or facts.by_judges:
        return [Step("good", _("The labels so far can be exported."), _("Export"), "exports")]
    return []


def undecided(project: Project) -> int:
    """Instances on which the last settlement found no winner although there were labels."""
    found = Preference.objects.live().filter(project=project, outcome=Preference.Outcome.UNDECIDED)
    return found.exclude(labels=[]).count()
