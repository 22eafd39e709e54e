"""What the pages about instances read: a page of rows, and everything about one instance."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, CharField, Count, F, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from dashboard.words import extras_in_words, in_words
from ledger.models import Aspect, Instance, Label, Project, Rater
from routing.models import Decision, Preference, Route

OPENING = 240  # characters of a prompt in a list

# Of chat messages, the last one is what the responses answer.
BEGINNING = """left(CASE jsonb_typeof(ledger_instance.prompt) WHEN 'string' THEN ledger_instance.prompt #>> '{}'
    ELSE ledger_instance.prompt #>> '{-1,content}' END, %s)"""


@dataclass
class Row:
    """An instance in a list."""

    ref: str
    pk: int
    beginning: str
    size: int
    people: int = 0
    judges: int = 0
    verdict: Preference | None = None
    decision: Decision | None = None


def rows_of(project: Project, found: QuerySet[Instance], first: int, last: int) -> list[Row]:
    """A page of `found` in import order; four queries, whatever their number."""
    beginning = RawSQL(BEGINNING, [OPENING], output_field=CharField())
    page = found.order_by("pk").annotate(beginning=beginning).values_list("pk", "ref", "beginning", "size")
    rows = {pk: Row(ref, pk, text or "", size) for pk, ref, text, size in page[first:last]}
    for pk, kind, raters in raters_by_kind(rows):
        if kind == Rater.Kind.PERSON:
            rows[pk].people = raters
        elif kind == Rater.Kind.JUDGE:
            rows[pk].judges = raters
    for decision in live_decisions(project, list(rows)):
        rows[decision.instance_id].decision = decision
    for preference in live_preferences(list(rows)):
        rows[preference.instance_id].verdict = rows[preference.instance_id].verdict or preference
    return list(rows.values())


def raters_by_kind(ids: Any) -> QuerySet[Label, tuple[int, str, int]]:
    live = Label.objects.live().filter(instance__in=list(ids))
    return (
        live.values("instance", "rater__kind")
        .annotate(raters=Count("rater", distinct=True))
        .order_by()
        .values_list("instance", "rater__kind", "raters")
    )


def live_decisions(project: Project, ids: Sequence[int]) -> QuerySet[Decision]:
    live = Route.objects.live().filter(project=project)
    return Decision.objects.filter(route__in=live, instance__in=ids).select_related("route")


def live_preferences(ids: Sequence[int]) -> QuerySet[Preference]:
    """The standing preferences, the aspect `overall` first."""
    overall_first = Case(When(aspect__name="overall", then=Value(0)), default=Value(1))
    found = Preference.objects.live().filter(instance__in=ids).select_related("aspect")
    return found.order_by(overall_first, "aspect__position", "aspect_id")


# ---------------------------------------------------------------- one instance


@dataclass
class Verdict:
    """A label as a person reads it."""

    label: Label
    words: str
    extras: str

    @property
    def shown(self) -> str:
        """The responses in the order in which they were shown, by their places from 1."""
        return ", ".join(str(index + 1) for index in self.label.order)


@dataclass
class Asked:
    """An aspect with its preference and all of an instance's labels on it."""

    aspect: Aspect
    preference: Preference | None = None
    preferred: str = ""
    live: list[Verdict] = field(default_factory=list)
    superseded: list[Verdict] = field(default_factory=list)


def everything_asked(instance: Instance, aspects: Sequence[Aspect]) -> list[Asked]:
    """Per aspect that was answered: the standing preference, the live labels, those that were corrected."""
    asked = {aspect.pk: Asked(aspect) for aspect in aspects}
    found = Label.objects.filter(instance=instance).select_related("rater", "guideline")
    people_first = Case(When(rater__kind=Rater.Kind.PERSON, then=Value(0)), default=Value(1))
    for label in found.order_by(people_first, F("rater__name"), "pk"):
        each = asked[label.aspect_id]
        verdict = Verdict(label, in_words(each.aspect, label.value), extras_in_words(label.value))
        (each.superseded if label.superseded else each.live).append(verdict)
    for preference in live_preferences([instance.pk]):
        each = asked[preference.aspect_id]
        each.preference, each.preferred = preference, outcome_in_words(preference)
    return [each for each in asked.values() if each.live or each.superseded or each.preference]


def outcome_in_words(preference: Preference) -> str:
    """Such as "response 2 preferred", or "tie"."""
    if preference.outcome != Preference.Outcome.PREFERRED or preference.chosen is None:
        return preference.get_outcome_display().lower()
    return _("response %s preferred") % (preference.chosen + 1)


def neighbours(instance: Instance) -> tuple[str | None, str | None]:
    """The ids of the instances before and after in import order."""
    others = Instance.objects.filter(project=instance.project_id)
    before = others.filter(pk__lt=instance.pk).order_by("-pk").values_list("ref", flat=True).first()
    after = others.filter(pk__gt=instance.pk).order_by("pk").values_list("ref", flat=True).first()
    return before, after
