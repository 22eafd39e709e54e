"""Everybody side by side on one aspect: people among themselves, each judge, and "the longer wins".

The figures are `quality`'s; here they are put together once a watermark and kept.
"""

from dataclasses import dataclass, field

import numpy as np

from dashboard.remembering import remembered, watermark
from ledger.models import Aspect, Label, Project
from quality import calibration
from quality.agreement import versus_majority
from quality.bias import flip_rate_of, length_slope, position_bias, position_bias_by_rater
from quality.comparisons import AmongPeople, BesidePeople, among_people, averaged_verdicts, beside_people
from quality.intervals import Estimate
from quality.lengths import item_lengths, longer_wins, response_lengths
from quality.readings import JudgeReading, Reading, read_aspect
from quality.skill import skills
from quality.verdicts import TIE, Bools, Floats, Ints, consecutive, plurality

FEW = 20  # compared instances below which a judge is not called worse than the baseline


@dataclass(frozen=True)
class Judge:
    """A judge beside people. `baseline`: the longer response's agreement on the instances this judge saw."""

    name: str
    judged: int
    beside: BesidePeople
    averaged: Estimate | None  # agreement with the majority when both orders' log-odds are averaged
    baseline: Estimate
    flips: Estimate
    slope: Estimate
    ece: float | None

    @property
    def agreement(self) -> Estimate:
        return self.beside.majority_raw

    @property
    def below_baseline(self) -> bool:
        ours, theirs = self.agreement.value, self.baseline.value
        return ours is not None and theirs is not None and self.agreement.n >= FEW and ours < theirs


@dataclass(frozen=True)
class Skill:
    """One person against the others, and how often they prefer what they saw first."""

    rater: int
    name: str
    labels: int
    majority: Estimate
    first: Estimate


@dataclass(frozen=True)
class Beside:
    """One aspect's figures."""

    people: AmongPeople
    slope: Estimate  # of people: log-odds for each doubling of length
    first: Estimate  # share of people's decided verdicts for the response shown first
    baseline: Estimate  # the longer wins, on all instances with a majority
    judges: list[Judge] = field(default_factory=list)  # best first
    skills: list[Skill] = field(default_factory=list)  # most labels first

    @property
    def ranked(self) -> list[Judge | None]:
        """The judges, best first, and None where the baseline stands among them."""
        level = self.baseline.value or 0.0
        above = [judge for judge in self.judges if (judge.agreement.value or 0.0) >= level]
        return [*above, None, *self.judges[len(above) :]]

    @property
    def best(self) -> Judge | None:
        return self.judges[0] if self.judges else None

    def judge(self, name: str) -> Judge | None:
        return next((judge for judge in self.judges if judge.name == name), None)


def beside(aspect: Aspect) -> Beside:
    """The aspect's figures, kept until a label is added."""
    project = aspect.project
    return remembered(project, f"beside:{aspect.pk}", str(watermark(project)), lambda: compute(aspect))


def compute(aspect: Aspect) -> Beside:
    reading = read_aspect(aspect)
    sizes = item_lengths(reading, response_lengths(aspect.project))
    everywhere = np.ones(reading.n_items, dtype=bool)
    judges = [read_judge(reading, judge, sizes) for judge in reading.judges]
    return Beside(
        people=among_people(reading),
        slope=slope_of(reading.verdicts, sizes[reading.items], items=reading.items),
        first=position_bias(reading.verdicts, reading.first),
        baseline=against_majority(reading, longer_wins(sizes), everywhere),
        judges=sorted(judges, key=lambda judge: -(judge.agreement.value or 0.0)),
        skills=read_skills(reading),
    )


def against_majority(reading: Reading, verdicts: Ints, present: Bools) -> Estimate:
    return versus_majority(reading.table, verdicts, present).estimate(clusters=reading.prompt)


def slope_of(verdicts: Ints, sizes: Ints, *, items: Ints) -> Estimate:
    """The length slope; undefined where verdicts or lengths do not vary."""
    if len(np.unique(verdicts)) < 2 or not np.any(sizes[:, 0] != sizes[:, 1]):
        return Estimate(None, len(verdicts))
    return length_slope(verdicts, sizes[:, 0], sizes[:, 1], items=items)


def read_judge(reading: Reading, judge: JudgeReading, sizes: Ints) -> Judge:
    verdicts, known = averaged_verdicts(judge)
    seen = np.flatnonzero(judge.present)
    return Judge(
        name=judge.name,
        judged=len(seen),
        beside=beside_people(reading, judge.verdicts, judge.present),
        averaged=against_majority(reading, verdicts, known) if known.any() else None,
        baseline=against_majority(reading, longer_wins(sizes), judge.present),
        flips=flip_rate_of(judge.several, judge.consistent),
        slope=slope_of(judge.verdicts[seen], sizes[seen], items=seen),
        ece=calibration_error(reading, judge.probability),
    )


def calibration_error(reading: Reading, probability: Floats) -> float | None:
    """The debiased calibration error against people's majority, ties left out."""
    majority, strict = plurality(reading.table)
    known = strict & (majority != TIE) & ~np.isnan(probability)
    if known.sum() < FEW:
        return None
    return calibration.ece_debiased(probability[known], (majority[known] > 0).astype(float))


def read_skills(reading: Reading) -> list[Skill]:
    if not len(reading.raters):
        return []
    codes, keys = consecutive(reading.raters)
    found = skills(reading.items, codes, reading.verdicts, table=reading.table, n_raters=len(keys))
    first = position_bias_by_rater(codes, reading.verdicts, reading.first, n_raters=len(keys))
    people = [
        Skill(
            rater=int(rater),
            name=reading.names[int(rater)],
            labels=int(found.labels[row]),
            majority=estimate(found.majority[row], found.compared[row], found.low[row], found.high[row]),
            first=estimate(
                first.successes[row] / max(first.n[row], 1), first.n[row], first.low[row], first.high[row]
            ),
        )
        for row, (rater,) in enumerate(keys.reshape(len(keys), -1).tolist())
    ]
    return sorted(people, key=lambda skill: (-skill.labels, skill.name))


def estimate(value: float, n: int, low: float, high: float) -> Estimate:
    return Estimate(float(value), int(n), float(low), float(high)) if n else Estimate(None, 0)


# ---------------------------------------------------------------- which aspect


def main_aspect(project: Project, name: str = "") -> Aspect | None:
    """The aspect of this name; else `overall`, else the first one. Never asks who labelled."""
    aspects = list(project.aspects.all())
    named = {aspect.name: aspect for aspect in aspects}
    return named.get(name) or named.get("overall") or (aspects[0] if aspects else None)


def has_labels(project: Project) -> bool:
    return Label.objects.filter(project=project).exists()
