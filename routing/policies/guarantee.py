"""guarantee: the judge's verdict stands where a promise about it can be kept; everything else goes to people.

A random part of the project is labelled first. Its first share trains the belief that orders instances by
safety, the rest is the audit that tests the promise (`routing.promise`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from routing.belief import believe, chance_of, frame
from routing.policies.base import Policy, Ranking, Reason
from routing.promise import Promise, promise_by_slice
from routing.table import Floats, Ints, Known, Mask, Table

TARGET, CONFIDENCE = 0.85, 0.95
PILOT_SHARE = 0.35  # of the random part: trains the order of safety; the rest audits
RANDOM_SHARE = 0.2  # of the project is labelled at random …
LEAST, MOST = 200, 700  # … but at least and at most so many


@dataclass(frozen=True, slots=True, eq=False)
class Lots:
    """The random part, drawn before anything is asked: pilot and audit instances."""

    pilot: Ints
    audit: Ints

    @property
    def all(self) -> Ints:
        return np.concatenate([self.pilot, self.audit])


def draw_lots(size: int, *, rng: Generator) -> Lots:
    """The pilot and the audit of a project of `size` instances."""
    count = min(size, MOST, max(LEAST, round(RANDOM_SHARE * size)))
    drawn = rng.permutation(size)[:count]
    pilot = round(PILOT_SHARE * count)
    return Lots(pilot=drawn[:pilot], audit=drawn[pilot:])


def within(known: Known, instances: Ints) -> Known:
    """The labels on these instances only."""
    kept = np.isin(known.instance, instances)
    return Known(instance=known.instance[kept], rater=known.rater[kept], verdict=known.verdict[kept])


def slices_of(table: Table) -> Ints:
    """The slice of each pair (n,): its prompt's domain, one for all where none is recorded."""
    return np.zeros(table.size, dtype=np.int64) if table.slices is None else table.slices


def safety(table: Table, known: Known) -> Floats:
    """P(a person says what the judge says), by the belief from these labels (n,)."""
    asked = frame(table).asked
    return chance_of(asked.turned(believe(table, known).after), table.ai + 1)


class Guarantee(Policy):
    """Promises how far the judge agrees with people where nobody checks; everything else goes to people.

    `lots` may be given: those of the route whose audit is under way.
    """

    name = "guarantee"
    version = "1"
    learns = True

    def __init__(
        self, *, target: float = TARGET, confidence: float = CONFIDENCE, lots: Lots | None = None
    ) -> None:
        self.target, self.confidence, self.lots = target, confidence, lots
        self.made: Promise | None = None
        self.safety: Floats | None = None

    def batch(self, *, spent: int, cap: int, size: int) -> int:
        """The random part at once, then everything that cannot be promised."""
        return len(self.lots.all) - spent if self.lots and spent < len(self.lots.all) else cap

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        if self.lots is None:
            self.lots = draw_lots(table.size, rng=rng)
        heard = known.asked(table.size)
        if not heard[self.lots.all].all():
            return self.first_the_lots(table.size)
        made = self.promise(table, known)
        risk = 1.0 - (self.safety if self.safety is not None else np.zeros(table.size))
        return Ranking(gain=risk, worth=~made.accepted)

    def first_the_lots(self, size: int) -> Ranking:
        """The random part in the order of the lots, the pilot first, and nothing else yet."""
        gain, worth = np.zeros(size), np.zeros(size, dtype=bool)
        if self.lots is not None:
            gain[self.lots.all] = np.arange(len(self.lots.all), 0, -1)
            worth[self.lots.all] = True
        return Ranking(gain=gain, worth=worth)

    def promise(self, table: Table, known: Known) -> Promise:
        """What the audit supports; made once, when its labels are all there."""
        if self.made is None:
            if self.lots is None:
                raise ValueError("a promise needs lots that were drawn")
            self.safety = safety(table, within(known, self.lots.pilot))
            agrees = self.agreement(table, known, self.lots.audit)
            self.made = self.promise_beyond(self.lots, self.safety, agrees, slices_of(table))
        return self.made

    def promise_beyond(self, lots: Lots, safe: Floats, agrees: Mask, slices: Ints) -> Promise:
        """The promise about the instances outside the pilot, of which the audit is a simple random sample."""
        outside = np.ones(len(safe), dtype=bool)
        outside[lots.pilot] = False
        place = np.cumsum(outside) - 1
        found = promise_by_slice(
            safe[outside],
            place[lots.audit],
            agrees,
            slices[outside],
            target=self.target,
            confidence=self.confidence,
        )
        accepted = np.zeros(len(safe), dtype=bool)
        accepted[outside] = found.accepted
        return replace(found, accepted=accepted)

    @staticmethod
    def agreement(table: Table, known: Known, audit: Ints) -> Mask:
        """Whether the first person's label on each audited instance is the judge's verdict (a,)."""
        first = np.full(table.size, np.iinfo(np.int64).min)
        first[known.instance[::-1]] = known.verdict[::-1]
        agrees: Mask = first[audit] == table.ai[audit]
        return agrees

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        if self.made is None:
            drawn = Reason(text="Drawn by lot for the audit.", features={})
            waiting = Reason(text="Waits for the audit.", features={})
            return [drawn if worth else waiting for worth in ranking.worth[instances]]
        return [
            reason(float(ranking.gain[instance]), kept=bool(self.made.accepted[instance]))
            for instance in instances
        ]


def reason(risk: float, *, kept: bool) -> Reason:
    text = "Covered by the promise." if kept else f"Not covered: {risk:.0%} chance that a person differs."
    return Reason(text=text, features={"risk": risk})
