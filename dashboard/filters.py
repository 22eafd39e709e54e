"""What the list of instances can be narrowed to. Every choice is a row in a table: no name that a person
sends ever becomes part of a query.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Exists, F, Max, Min, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Sign
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dashboard.reasons import with_reason
from dashboard.search import matching
from ledger.models import Aspect, Instance, Label, Project, Rater
from routing.models import Decision, Preference, Route

Narrow = Callable[[QuerySet[Instance], "Wanted"], QuerySet[Instance]]
PERSON, JUDGE = Q(rater__kind=Rater.Kind.PERSON), Q(rater__kind=Rater.Kind.JUDGE)


@dataclass(frozen=True)
class Wanted:
    """The filter as it was asked for; what names nothing is left out."""

    project: Project
    text: str = ""
    ids: tuple[str, ...] = ()
    labelled: str = ""
    way: str = ""
    aspect: Aspect | None = None
    disagreement: str = ""
    reason: str = ""  # a skeleton of `dashboard.reasons`

    @property
    def narrows(self) -> bool:
        chosen = (self.text, self.ids, self.labelled, self.way, self.aspect, self.disagreement, self.reason)
        return any(chosen)


def read_filter(project: Project, aspects: list[Aspect], query: QueryDict) -> Wanted:
    """The filter in a query string."""

    def one_of(name: str, known: object) -> str:
        value = query.get(name, "")
        return value if value in known else ""  # type: ignore[operator]

    return Wanted(
        project,
        text=query.get("q", "").strip()[:300],
        ids=tuple(query.get("ids", "").replace(",", " ").split())[:1000],
        labelled=one_of("labelled", LABELLED),
        way=one_of("way", WAYS),
        aspect=next((aspect for aspect in aspects if aspect.name == query.get("aspect")), None),
        disagreement=one_of("disagreement", DISAGREEMENTS),
        reason=query.get("reason", "")[:400],
    )


def narrowed(wanted: Wanted) -> QuerySet[Instance]:
    """The project's instances that fit."""
    found: QuerySet[Instance] = Instance.objects.of(wanted.project)
    if wanted.text:
        found = matching(found, wanted.text)
    if wanted.ids:
        found = found.filter(ref__in=wanted.ids)
    for name, table in (
        (wanted.labelled, LABELLED),
        (wanted.way, WAYS),
        (wanted.disagreement, DISAGREEMENTS),
    ):
        if name:
            found = table[name].narrow(found, wanted)
    if wanted.reason:
        sent = with_reason(live_decisions(wanted.project), wanted.reason)
        found = found.filter(pk__in=sent.values("instance"))
    if wanted.aspect and not (wanted.labelled or wanted.disagreement):
        found = found.filter(Exists(labels(wanted)))
    return found


@dataclass(frozen=True)
class Choice:
    title: str | Promise
    narrow: Narrow


# ---------------------------------------------------------------- labelled by whom


def labels(wanted: Wanted) -> QuerySet[Label]:
    """The live labels of an instance, of the wanted aspect where one was named."""
    found = Label.objects.live().filter(instance=OuterRef("pk"))
    return found.filter(aspect=wanted.aspect) if wanted.aspect else found


def by_people(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(Exists(labels(wanted).filter(PERSON)))


def by_judges(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(Exists(labels(wanted).filter(JUDGE)))


def by_both(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return by_judges(by_people(found, wanted), wanted)


def by_no_person(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(~Exists(labels(wanted).filter(PERSON)))


def by_nobody(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(~Exists(labels(wanted)))


LABELLED = {
    "people": Choice(_("people"), by_people),
    "judges": Choice(_("judges"), by_judges),
    "both": Choice(_("people and judges"), by_both),
    "no-person": Choice(_("no person yet"), by_no_person),
    "nobody": Choice(_("nobody yet"), by_nobody),
}

# ---------------------------------------------------------------- where the live route sends it


def live_decisions(project: Project) -> QuerySet[Decision]:
    return Decision.objects.filter(route__in=Route.objects.live().filter(project=project))


def decided(*ways: str, audit: bool | None = None) -> Narrow:
    def narrow(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
        live = live_decisions(wanted.project).filter(way__in=ways)
        if audit is not None:
            live = live.filter(audit=audit)
        return found.filter(pk__in=live.values("instance"))

    return narrow


def undecided(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.exclude(pk__in=live_decisions(wanted.project).values("instance"))


WAYS = {
    "human": Choice(_("people"), decided(Decision.Way.HUMAN, Decision.Way.BOTH)),
    "ai": Choice(_("the judge"), decided(Decision.Way.AI)),
    "audit": Choice(_("people, as a random audit"), decided(*Decision.Way.values, audit=True)),
    "none": Choice(_("no route yet"), undecided),
}

# ---------------------------------------------------------------- who disagrees


def votes(wanted: Wanted) -> QuerySet[Label]:
    """The project's live labels with a direction."""
    found = Label.objects.live().filter(project=wanted.project, strength__isnull=False)
    return found.filter(aspect=wanted.aspect) if wanted.aspect else found


def spread(found: QuerySet[Label], *by: str) -> QuerySet[Label]:
    """The groups of labels in which two point different ways; a tie is a way of its own."""
    return (
        found.values("instance", "aspect", *by)
        .annotate(low=Min(Sign("strength")), high=Max(Sign("strength")))
        .filter(low__lt=F("high"))
        .order_by()
    )


def people_disagree(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(pk__in=spread(votes(wanted).filter(PERSON)).values("instance"))


def judges_disagree(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(pk__in=spread(votes(wanted).filter(JUDGE)).values("instance"))


def judge_flips(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    return found.filter(pk__in=spread(votes(wanted).filter(JUDGE), "rater").values("instance"))


def judges_against_people(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    opposed = (
        votes(wanted)
        .values("instance", "aspect")
        .annotate(people=Sum(Sign("strength"), filter=PERSON), judges=Sum(Sign("strength"), filter=JUDGE))
        .filter(Q(people__gt=0, judges__lt=0) | Q(people__lt=0, judges__gt=0))
        .order_by()
    )
    return found.filter(pk__in=opposed.values("instance"))


def contested(found: QuerySet[Instance], wanted: Wanted) -> QuerySet[Instance]:
    open_ones = Preference.objects.live().filter(project=wanted.project, outcome=Preference.Outcome.UNDECIDED)
    if wanted.aspect:
        open_ones = open_ones.filter(aspect=wanted.aspect)
    return found.filter(pk__in=open_ones.values("instance"))


DISAGREEMENTS = {
    "people": Choice(_("people among themselves"), people_disagree),
    "against": Choice(_("judges against people"), judges_against_people),
    "judges": Choice(_("judges among themselves"), judges_disagree),
    "flips": Choice(_("a judge with itself, orders swapped"), judge_flips),
    "undecided": Choice(_("nobody wins: undecided"), contested),
}
