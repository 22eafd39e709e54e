"""What the dashboard shows of quality: plain dataclasses, computed once for each state of the ledger.

Every panel answers a question. `compare_judges`: may a judge stand in for a person?
`people_among_themselves`: is the question one that people agree on? `compare_people`: does anybody's work
need a look?
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

import numpy as np
from django.core.cache import cache
from django.db.models import Avg, Count, Max, Sum

from ledger.models import Aspect, Label, Project, Rater
from quality import agreement
from quality.bias import (
    flip_rate_of,
    follows_length,
    length_slope,
    position_bias_by_rater,
    preference,
)
from quality.calibration import ece_debiased
from quality.comparisons import AmongPeople, among_people, averaged_verdicts
from quality.intervals import CONFIDENCE, Estimate, difference, proportion, wilson
from quality.lengths import item_lengths, longer_wins, response_lengths
from quality.ratings import RATING, people_scores, score_alpha
from quality.readings import JudgeReading, Reading, read_aspect
from quality.skill import Skills, skills
from quality.verdicts import Bools, Floats, Ints
from web.release import release

KEPT_SECONDS = 24 * 3600  # a panel of a state of the ledger stays right; this bounds the cache
FEW = 30  # compared instances below which nothing is said about who is better
FEW_PROBABILITIES = 100  # labels below which a calibration error says little
FEW_SHOWN = 20  # decided labels below which a person's leaning is not looked at

T = TypeVar("T")
Spent = dict[int, tuple[Decimal | None, float | None]]  # by judge: cost of 1,000 instances, seconds of one


class Standing(StrEnum):
    """How a judge stands against "the longer wins" on the same instances."""

    BELOW = "below"
    UNCLEAR = "unclear"
    ABOVE = "above"
    FEW = "few"


UNKNOWN = Estimate(None, 0)


@dataclass(frozen=True, slots=True)
class RaterRow:
    """One line of `Judges beside people`."""

    name: str
    majority: Estimate  # agreement with people's strict plurality
    no_ties: Estimate  # the same where neither is a tie
    averaged: Estimate | None = None  # with the majority, of the verdict that the orders' mean log-odds imply
    flips: Estimate | None = None
    length: Estimate | None = None  # log-odds for each doubling of a response's length
    calibration: Estimate | None = None  # debiased calibration error
    cost: Decimal | None = None  # of 1,000 instances
    seconds: float | None = None  # an instance
    standing: Standing | None = None
    gap: Estimate | None = None  # its agreement, ties halved, less the baseline's on the same instances
    person_gap: Estimate = UNKNOWN  # its agreement with the others less a person's in its place


@dataclass(frozen=True, slots=True)
class JudgesBesidePeople:
    """People, judges and the baseline on one aspect; judges by falling agreement."""

    aspect: str
    compared: int  # instances' pairs where people have a majority
    one_person: RaterRow
    judges: list[RaterRow]
    baseline: RaterRow

    @property
    def best(self) -> RaterRow | None:
        """The judge that surely comes nearest to a person: by the gap's lower end, few labels win nothing."""
        known = [row for row in self.judges if row.person_gap.n >= FEW]
        return max(known, key=lambda row: floor_of(row.person_gap), default=None)

    @property
    def best_beside_a_person(self) -> str:
        """`above` or `below` where the gap's interval is on one side of zero, else `alike`."""
        gap = self.best.person_gap if self.best else UNKNOWN
        if gap.low is None or gap.high is None:
            return ""
        if gap.low > 0:
            return "above"
        return "below" if gap.high < 0 else "alike"


@dataclass(frozen=True, slots=True)
class AspectAgreement:
    """One line of `People among themselves`."""

    aspect: str
    people: AmongPeople
    score_alpha: Estimate | None  # rating aspects: interval alpha of the scores


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person beside the others."""

    rater: int
    name: str
    labels: int
    agreement: Estimate  # with the majority of the others
    ties: float  # share of their votes
    first_shown: Estimate  # share of decided votes for the response shown first
    leans: bool  # to one side, beyond what chance allows among so many people
    seconds: float | None  # mean time a label


# ---------------------------------------------------------------- remembering


def remembered(name: str, aspect: Aspect, compute: Callable[[Aspect], T]) -> T:
    """`compute(aspect)`, kept for as long as the ledger's labels of the project stay the same."""
    key = f"quality:{release()}:{name}:{aspect.pk}:{ledger_state(aspect.project_id)}"
    found: T | None = cache.get(key)
    if found is None:
        found = compute(aspect)
        cache.set(key, found, KEPT_SECONDS)
    return found


def ledger_state(project_id: int) -> str:
    """Changes with every label that is written or superseded, and with every imported instance."""
    labels = Label.objects.filter(project=project_id).aggregate(last=Max("pk"), gone=Count("superseded"))
    instances = Project.objects.filter(pk=project_id).aggregate(n=Max("instances__pk"))
    return f"{labels['last']}-{labels['gone']}-{instances['n']}"


def people_among_themselves(project: Project) -> list[AspectAgreement]:
    return [remembered("among", aspect, compare_aspect) for aspect in project.aspects.all()]


# ---------------------------------------------------------------- judges beside people


def compare_judges(aspect: Aspect) -> JudgesBesidePeople:
    reading = read_aspect(aspect)
    sizes = item_lengths(reading, response_lengths(aspect.project))
    longer = longer_wins(sizes)
    spent = costs_of_judges(aspect)
    rows = [judge_row(reading, judge, sizes, longer, spent) for judge in reading.judges]
    everywhere = np.ones(reading.n_items, dtype=bool)
    baseline = RaterRow("", *majority_figures(reading, longer, everywhere))
    return JudgesBesidePeople(
        aspect=str(aspect),
        compared=baseline.majority.n,
        one_person=people_row(reading, sizes),
        judges=sorted(rows, key=lambda row: -(row.majority.value or 0)),
        baseline=baseline,
    )


def people_row(reading: Reading, sizes: Ints) -> RaterRow:
    decided = agreement.one_against_others_no_ties(
        reading.items, reading.verdicts, n_items=reading.n_items, table=reading.table
    )
    everybody = agreement.one_against_others(
        reading.items, reading.verdicts, n_items=reading.n_items, table=reading.table
    )
    return RaterRow(
        "",
        everybody.estimate(clusters=reading.prompt),
        decided.estimate(clusters=reading.prompt),
        length=slope_of(reading.verdicts, sizes[reading.items], reading.prompt[reading.items]),
    )


def judge_row(reading: Reading, judge: JudgeReading, sizes: Ints, longer: Ints, spent: Spent) -> RaterRow:
    gap = gap_to_baseline(reading, judge, longer)
    cost, seconds = spent.get(judge.rater, (None, None))
    flips = flip_rate_of(judge.several, judge.consistent)
    return RaterRow(
        judge.name,
        *majority_figures(reading, judge.verdicts, judge.present),
        averaged=averaged_figure(reading, judge) if flips.value else None,
        flips=flips if flips.n else None,
        length=slope_of(judge.verdicts[judge.present], sizes[judge.present], reading.prompt[judge.present]),
        calibration=calibration_of(reading, judge),
        cost=cost,
        seconds=seconds,
        standing=standing_of(gap),
        gap=gap,
        person_gap=gap_to_person(reading, judge),
    )


def majority_figures(reading: Reading, verdicts: Ints, present: Bools) -> tuple[Estimate, Estimate]:
    """Agreement with people's majority, ties counted and left out. verdicts, present: (I,)."""
    return (
        agreement.versus_majority(reading.table, verdicts, present).estimate(clusters=reading.prompt),
        agreement.versus_majority_no_ties(reading.table, verdicts, present).estimate(clusters=reading.prompt),
    )


def averaged_figure(reading: Reading, judge: JudgeReading) -> Estimate | None:
    """The agreement that averaging the orders would reach, where the judge gives probabilities in each."""
    verdicts, known = averaged_verdicts(judge)
    return majority_figures(reading, verdicts, known)[0] if known.any() else None


def gap_to_baseline(reading: Reading, judge: JudgeReading, longer: Ints) -> Estimate:
    """The judge's agreement, ties halved, less that of "the longer wins", on the same instances."""
    ours = agreement.versus_majority_ties_halved(reading.table, judge.verdicts, judge.present)
    theirs = agreement.versus_majority_ties_halved(reading.table, longer, judge.present)
    return difference(ours, theirs).estimate(clusters=reading.prompt)


def gap_to_person(reading: Reading, judge: JudgeReading) -> Estimate:
    """The judge's agreement with the other people less that of the person in whose place it is put."""
    pair = agreement.judge_against_others(
        reading.items,
        reading.verdicts,
        judge.verdicts,
        judge.present,
        n_items=reading.n_items,
        table=reading.table,
    )
    return difference(*pair).estimate(clusters=reading.prompt)


def standing_of(gap: Estimate) -> Standing:
    if gap.n < FEW or gap.value is None or gap.low is None:
        return Standing.FEW
    if gap.value < 0:
        return Standing.BELOW
    return Standing.ABOVE if gap.low > 0 else Standing.UNCLEAR


def floor_of(estimate: Estimate) -> float:
    return -np.inf if estimate.low is None else estimate.low


def slope_of(verdicts: Ints, sizes: Ints, prompts: Ints) -> Estimate | None:
    """The length slope over these votes, where enough of them decide. verdicts, prompts: (N,); sizes: (N, 2)."""
    if np.count_nonzero(verdicts) < FEW or follows_length(verdicts, sizes[:, 0], sizes[:, 1]):
        return None
    return length_slope(verdicts, sizes[:, 0], sizes[:, 1], items=prompts)


def calibration_of(reading: Reading, judge: JudgeReading) -> Estimate | None:
    """The debiased calibration error against every label of people, where the judge gives probabilities."""
    probability: Floats = judge.probability[reading.items]
    known = ~np.isnan(probability)
    if known.sum() < FEW_PROBABILITIES:
        return None
    return Estimate(ece_debiased(probability[known], preference(reading.verdicts[known])), int(known.sum()))


def costs_of_judges(aspect: Aspect) -> Spent:
    """What 1,000 instances cost and the seconds that one took, by judge; None where nothing was recorded."""
    labels = Label.objects.live().filter(
        project=aspect.project_id, aspect=aspect, rater__kind=Rater.Kind.JUDGE
    )
    rows = labels.values_list("rater").annotate(
        Sum("cost"), Sum("duration_ms"), Count("instance", distinct=True)
    )
    return {
        rater: (None if cost is None else 1000 * cost / n, None if spent is None else spent / 1000 / n)
        for rater, cost, spent, n in rows
    }


# ---------------------------------------------------------------- people


def compare_aspect(aspect: Aspect) -> AspectAgreement:
    scores = score_alpha(people_scores(aspect)) if aspect.task_type == RATING else None
    return AspectAgreement(str(aspect), among_people(read_aspect(aspect)), scores)


def compare_people(aspect: Aspect) -> list[PersonRow]:
    """Everybody who labelled, those who need a look first."""
    reading = read_aspect(aspect)
    ids, codes = np.unique(reading.raters, return_inverse=True)
    found = skills(reading.items, codes, reading.verdicts, table=reading.table, n_raters=len(ids))
    shown = position_bias_by_rater(codes, reading.verdicts, reading.first, n_raters=len(ids))
    leans = leaning(shown.successes, shown.n)
    ties = np.bincount(codes, weights=reading.verdicts == 0, minlength=len(ids)) / np.bincount(codes)
    work = work_by_rater(aspect)
    rows = [
        PersonRow(
            rater=int(rater),
            name=reading.names[int(rater)],
            labels=work[int(rater)][0],
            agreement=skill_estimate(found, code),
            ties=float(ties[code]),
            first_shown=proportion(int(shown.successes[code]), int(shown.n[code])),
            leans=bool(leans[code]),
            seconds=work[int(rater)][1],
        )
        for code, rater in enumerate(ids)
    ]
    return sorted(rows, key=lambda row: (not row.leans, -row.labels, row.name))


def leaning(successes: Ints, n: Ints) -> Bools:
    """Who prefers one side beyond chance, (R,): Wilson's interval, Bonferroni-corrected, leaves 0.5 out."""
    looked_at = n >= FEW_SHOWN
    confidence = 1 - (1 - CONFIDENCE) / max(int(looked_at.sum()), 1)
    low, high = wilson(successes, n, confidence=confidence)
    return looked_at & ((low > 0.5) | (high < 0.5))


def skill_estimate(found: Skills, code: int) -> Estimate:
    n = int(found.compared[code])
    if not n:
        return Estimate(None, 0)
    return Estimate(float(found.majority[code]), n, float(found.low[code]), float(found.high[code]))


def work_by_rater(aspect: Aspect) -> dict[int, tuple[int, float | None]]:
    """How many labels each person gave, and the mean seconds that one took, where that is known."""
    labels = Label.objects.live().filter(
        project=aspect.project_id, aspect=aspect, rater__kind=Rater.Kind.PERSON
    )
    rows = labels.values_list("rater").annotate(Count("pk"), Avg("duration_ms"))
    return {rater: (n, None if spent is None else spent / 1000) for rater, n, spent in rows}
