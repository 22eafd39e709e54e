"""From the labels that count to one consensus an instance: what `routing.actions.settle` writes down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from ledger.models import Aspect, Instance, Label, Project, Rater
from quality.consensus import AGGREGATORS
from quality.consensus.base import Aggregator
from quality.consensus.fused import Fused
from routing.models import Decision, Preference, Route
from routing.voices import joint_probability, joint_verdict
from web.registry import unknown

PEOPLE = (Rater.Kind.PERSON, Rater.Kind.ADJUDICATOR)
PAIRED = ("pairwise", "joint")
SCORED = ("ranking", "rating", "slider", "satisfaction", "best_worst")  # marks, edits and texts order nothing
DECIMALS = 6  # of what is stored, so that rounding never makes a new preference


@dataclass(frozen=True, slots=True)
class Said:
    """A live label as settling reads it."""

    pk: int
    instance: int
    rater: int
    kind: str
    name: str
    value: dict[str, Any]
    order: tuple[int, ...]
    repeat: int


@dataclass(frozen=True, slots=True)
class Counted:
    """The labels that count for one instance, and on whose word it rests."""

    labels: list[Said]
    source: Preference.Source
    way: str


@dataclass(frozen=True, slots=True)
class Consensus:
    """What an instance's counted labels amount to, in the terms of `Preference`."""

    outcome: Preference.Outcome
    value: dict[str, Any]
    chosen: int | None = None
    rejected: int | None = None
    probability: float | None = None
    margin: float | None = None
    agreement: float | None = None


UNDECIDED = Consensus(outcome=Preference.Outcome.UNDECIDED, value={})


@dataclass(frozen=True, slots=True)
class Method:
    """How a settlement aggregates, and whose labels it takes: people's or the judge's alone where `whose` says."""

    name: str
    whose: str = ""

    @property
    def fuses(self) -> bool:
        return bool(AGGREGATORS.load(self.name).fuses)

    def is_local(self, aspect: Aspect) -> bool:
        """Whether an instance's consensus follows from its own labels alone."""
        return aspect.task_type not in PAIRED or bool(AGGREGATORS.load(self.name).local)


WHOSE = (Preference.Source.HUMAN.value, Preference.Source.AI.value)


def read_method(text: str) -> Method:
    """A method by its name, or `name/human`, `name/ai` for one kind of label. Raises `UnknownName`."""
    name, _, whose = text.partition("/")
    AGGREGATORS.load(name)
    if whose and whose not in WHOSE:
        raise unknown("kind of label", whose, list(WHOSE))
    return Method(name, whose)


def read_labels(
    aspect: Aspect, judge: Rater | None, *, all_judges: bool = False, instances: list[int] | None = None
) -> dict[int, list[Said]]:
    """The live labels of people, adjudicators and the standing judge (or all), by instance, in the ledger's order."""
    fields = ("pk", "instance_id", "rater_id", "rater__kind", "rater__name", "value", "order", "repeat")
    labels = Label.objects.live().filter(project=aspect.project_id, aspect=aspect)
    if instances is not None:
        labels = labels.filter(instance__in=instances)
    found: dict[int, list[Said]] = defaultdict(list)
    for pk, instance, rater, kind, name, value, order, repeat in labels.order_by("pk").values_list(*fields):
        standing = judge is not None and rater == judge.pk
        if kind in PEOPLE or standing or (all_judges and kind == Rater.Kind.JUDGE):
            found[instance].append(Said(pk, instance, rater, kind, name, value, tuple(order), repeat))
    return found


def first_answers(labels: list[Said]) -> list[Said]:
    """One label a person: a repeated presentation checks the person and is no further voice."""
    first: dict[int, Said] = {}
    for label in labels:
        held = first.get(label.rater)
        if held is None or label.repeat < held.repeat:
            first[label.rater] = label
    return list(first.values())


def counting(labels: list[Said], way: str, method: Method) -> Counted:
    """Which labels settle an instance that goes `way` (empty: no route; people where there are any).

    A method that fuses takes all of them, but for an adjudication, which is final.
    """
    adjudged = [label for label in labels if label.kind == Rater.Kind.ADJUDICATOR]
    people = adjudged[-1:] or first_answers([label for label in labels if label.kind == Rater.Kind.PERSON])
    judged = [label for label in labels if label.kind == Rater.Kind.JUDGE]
    if method.fuses:
        return fusing(people, [] if adjudged else judged, way)
    if method.whose:
        source = Preference.Source(method.whose)
        return Counted(people if source == Preference.Source.HUMAN else judged, source, way)
    if way == Decision.Way.AI or (not way and not people):
        return Counted(judged, Preference.Source.AI, way)
    if way == Decision.Way.BOTH and judged and people:
        return Counted(people + judged, Preference.Source.FUSED, way)
    return Counted(people, Preference.Source.HUMAN, way)


def fusing(people: list[Said], judged: list[Said], way: str) -> Counted:
    if people and judged:
        return Counted(people + judged, Preference.Source.FUSED, way)
    source = Preference.Source.AI if judged else Preference.Source.HUMAN
    return Counted(people or judged, source, way)


def ways_of(route: Route | None, instances: list[int] | None) -> dict[int, str]:
    """Where each instance goes; nothing without a route."""
    if route is None:
        return {}
    decided = route.decisions if instances is None else route.decisions.filter(instance__in=instances)
    return dict(decided.values_list("instance_id", "way"))


def settle_aspect(
    *,
    aspect: Aspect,
    route: Route | None,
    judge: Rater | None,
    method: str,
    instances: list[int] | None = None,
) -> dict[int, tuple[Counted, Consensus]]:
    """The consensus on the instances with labels that count, by instance: on `instances` alone, or on them all.

    Only a method that is local to the instance may be asked for some.
    """
    how = read_method(method)
    ways = ways_of(route, instances)
    labels = read_labels(aspect, judge, all_judges=how.fuses, instances=instances)
    counted = {pk: counting(labels[pk], ways.get(pk, ""), how) for pk in sorted(labels)}
    counted = {pk: held for pk, held in counted.items() if held.labels}
    agreed: dict[int, Consensus] = {}
    if aspect.task_type in PAIRED and how.fuses:
        agreed = fused_consensus(counted, slices_of(aspect.project))
    elif aspect.task_type in PAIRED:
        agreed = pairwise_consensus(counted, AGGREGATORS.load(how.name)())
    elif aspect.task_type in SCORED:
        agreed = {pk: scored_consensus(held.labels, aspect) for pk, held in counted.items() if held.labels}
    return {pk: (held, agreed.get(pk, UNDECIDED)) for pk, held in counted.items()}


# ---------------------------------------------------------------- pairwise


def folded(labels: list[Said]) -> list[tuple[int, int]]:
    """(rater, verdict) once a rater: what they say over all their presentations."""
    said: dict[int, list[tuple[int, float | None]]] = defaultdict(list)
    for label in labels:
        said[label.rater].append((sign(label.value.get("strength", 0)), label.value.get("probability")))
    return [(rater, joint_verdict(*zip(*answers, strict=True))) for rater, answers in said.items()]


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


def pairwise_consensus(counted: dict[int, Counted], aggregator: Aggregator) -> dict[int, Consensus]:
    """The aggregator's verdict on every instance that has a label."""
    votes = {pk: folded(held.labels) for pk, held in counted.items() if held.labels}
    if not votes:
        return {}
    raters: dict[int, int] = {}
    rows = [
        (item, raters.setdefault(rater, len(raters)), verdict)
        for item, said in enumerate(votes.values())
        for rater, verdict in said
    ]
    items, codes, verdicts = np.array(rows, dtype=np.int64).T
    aggregator.fit(items, codes, verdicts, n_items=len(votes))
    return {
        pk: pair_consensus(counted[pk].labels, votes[pk], aggregator, item) for item, pk in enumerate(votes)
    }


# ---------------------------------------------------------------- people and judges together

SLICE_KEYS = (
    "slice",
    "subset",
    "category",
    "domain",
)  # the metadata that tells slices apart: the first that is there
LEAST_SLICE = 20  # instances; smaller slices are one


def slices_of(project: Project) -> dict[int, str]:
    """The slice of each instance, empty for those in small ones."""
    named = Coalesce(
        *(KeyTextTransform(key, "metadata") for key in SLICE_KEYS), Value(""), output_field=TextField()
    )
    found = dict(Instance.objects.of(project).annotate(slice=named).values_list("pk", "slice"))
    sizes = Counter(found.values())
    return {pk: name if sizes[name] >= LEAST_SLICE else "" for pk, name in found.items()}


def fused_consensus(counted: dict[int, Counted], slices: dict[int, str]) -> dict[int, Consensus]:
    """The posterior's verdict on every instance that has a label, its probability what a fresh person would say."""
    votes = {pk: folded(held.labels) for pk, held in counted.items() if held.labels}
    if not votes:
        return {}
    judges = {
        label.rater for held in counted.values() for label in held.labels if label.kind == Rater.Kind.JUDGE
    }
    raters: dict[int, int] = {}
    codes: dict[str, int] = {}
    rows = [
        (item, raters.setdefault(rater, len(raters)), verdict)
        for item, said in enumerate(votes.values())
        for rater, verdict in said
    ]
    items, who, verdicts = np.array(rows, dtype=np.int64).T
    fitted = Fused().fit(
        items,
        who,
        verdicts,
        n_items=len(votes),
        judges=np.array([rater in judges for rater in raters]),
        slices=np.array([codes.setdefault(slices[pk], len(codes)) for pk in votes]),
    )
    return {pk: fused_pair(counted[pk].labels, votes[pk], fitted, item) for item, pk in enumerate(votes)}


def fused_pair(labels: list[Said], votes: list[tuple[int, int]], fitted: Fused, item: int) -> Consensus:
    """As `pair_consensus`; the margin is the labels' mean strength, weakened by what speaks against the verdict."""
    first, tie, second = (float(chance) for chance in fitted.predicted_[item])
    held = pair_consensus(labels, votes, fitted, item)
    probability = round(second + tie / 2, DECIMALS)
    strength = float(np.mean([abs(label.value.get("strength", 0)) for label in labels])) or 1.0
    margin = round(abs(second - first) * strength, DECIMALS)
    return replace(
        held,
        probability=probability,
        value=held.value
        | {"probability": probability, "shares": [round(p, DECIMALS) for p in (first, tie, second)]},
        margin=margin if held.outcome == Preference.Outcome.PREFERRED else held.margin,
    )


def pair_consensus(
    labels: list[Said], votes: list[tuple[int, int]], fitted: Aggregator, item: int
) -> Consensus:
    verdict, decided = int(fitted.verdicts_[item]), bool(fitted.decided_[item])
    strength = float(np.mean([label.value.get("strength", 0) for label in labels]))
    probability = second_preferred(labels, fitted.probabilities_[item])
    value = {"strength": round(strength, DECIMALS), "probability": probability}
    if not decided:
        return Consensus(outcome=Preference.Outcome.UNDECIDED, value=value, probability=probability)
    share = sum(given == verdict for _, given in votes) / len(votes)
    if verdict == 0:
        outcome = Preference.Outcome.BOTH_BAD if mostly_bad(labels) else Preference.Outcome.TIE
        return Consensus(
            outcome=outcome,
            value=value,
            probability=probability,
            margin=0.0,
            agreement=round(share, DECIMALS),
        )
    return Consensus(
        outcome=Preference.Outcome.PREFERRED,
        value=value,
        chosen=int(verdict > 0),
        rejected=int(verdict < 0),
        probability=probability,
        margin=round(max(strength * verdict, 0.0), DECIMALS),
        agreement=round(share, DECIMALS),
    )


def mostly_bad(labels: list[Said]) -> bool:
    return sum(bool(label.value.get("both_bad")) for label in labels) * 2 > len(labels)


def second_preferred(labels: list[Said], probabilities: np.ndarray) -> float:
    """P(response 1 preferred), a tie halved: the labels' own probabilities, else the aggregator's."""
    own = [label.value.get("probability") for label in labels]
    if all(chance is not None for chance in own):
        return round(joint_probability([float(chance) for chance in own if chance is not None]), DECIMALS)
    return round(float(probabilities[2] + probabilities[1] / 2), DECIMALS)


# ---------------------------------------------------------------- ratings and rankings


def scored_consensus(labels: list[Said], aspect: Aspect) -> Consensus:
    """Mean ratings, or mean ranks made dense; the best and the worst response are chosen and rejected."""
    ranked = aspect.task_type == "ranking"
    scores = mean_scores(labels, ranked=ranked)
    value: dict[str, Any] = (
        {"ranks": dense_ranks(scores)}
        if ranked
        else {"ratings": {str(index): round(score, DECIMALS) for index, score in scores.items()}}
    )
    if len(scores) < 2:
        return Consensus(outcome=Preference.Outcome.UNDECIDED, value=value)
    best, worst = max(scores.values()), min(scores.values())
    if best - worst < 10**-DECIMALS:
        return Consensus(outcome=Preference.Outcome.TIE, value=value, margin=0.0)
    chosen = next(index for index, score in scores.items() if score == best)
    rejected = next(index for index, score in scores.items() if score == worst)
    return Consensus(
        outcome=Preference.Outcome.PREFERRED,
        value=value,
        chosen=chosen,
        rejected=rejected,
        probability=halved_share(labels, aspect) if len(scores) == 2 else None,
        margin=round(best - worst, DECIMALS),
        agreement=same_way(labels, aspect, chosen=chosen, rejected=rejected),
    )


def mean_scores(labels: list[Said], *, ranked: bool) -> dict[int, float]:
    """The mean score of each response, higher better: {index: score}, in order of index."""
    given: dict[int, list[float]] = defaultdict(list)
    for label in labels:
        for index, score in label_scores(label.value, ranked=ranked):
            given[index].append(score)
    return {index: float(np.mean(given[index])) for index in sorted(given)}


def label_scores(value: dict[str, Any], *, ranked: bool) -> list[tuple[int, float]]:
    if ranked:
        return [(index, -float(rank)) for index, rank in enumerate(value["ranks"])]
    if "best" in value:
        standing = {value["best"]: 1.0, value["worst"]: -1.0}
        return [(index, standing.get(index, 0.0)) for index in range(value["size"])]
    return [(int(index), float(score)) for index, score in value["ratings"].items()]


def dense_ranks(scores: dict[int, float]) -> list[int]:
    """1 for the best mean; equal means share a rank."""
    places = {score: place for place, score in enumerate(sorted(set(scores.values()), reverse=True), start=1)}
    return [places[scores[index]] for index in sorted(scores)]


def directions(labels: list[Said], aspect: Aspect, pair: Sequence[int]) -> list[int]:
    """What each label says of two responses: −1, 0 or 1, for labels that speak of both."""
    low, high = sorted(pair)
    votes = [vote for label in labels for vote in aspect.task.votes(label.value)]
    return [verdict for i, j, verdict in votes if (i, j) == (low, high)]


def same_way(labels: list[Said], aspect: Aspect, *, chosen: int, rejected: int) -> float | None:
    """The share of the labels that put `chosen` above `rejected`."""
    said = directions(labels, aspect, (chosen, rejected))
    wanted = 1 if chosen > rejected else -1
    return round(sum(verdict == wanted for verdict in said) / len(said), DECIMALS) if said else None


def halved_share(labels: list[Said], aspect: Aspect) -> float | None:
    said = directions(labels, aspect, (0, 1))
    return round(float(np.mean(said)) / 2 + 0.5, DECIMALS) if said else None
