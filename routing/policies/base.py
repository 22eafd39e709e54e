"""The form of a policy: it ranks instances by what a person would add, and says what the labels amount to.

`route` (live) and `replay` call the same two methods. A policy sees a `Table` and the labels in `Known`; it has
no way to any other human label.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from routing.table import VERDICTS, Floats, Ints, Known, Mask, Table

FIRST_BATCH = 0.025  # of the pairs: what a learning policy asks before its first refit
GROWTH = 1.25  # each refit comes when there is a quarter more evidence


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """`gain` (n,): what a human label is expected to add; `worth` (n,): where asking is worth it at all.

    `score` (n,), where given, orders the asking in the place of the gain: a policy may explore.
    """

    gain: Floats
    worth: Mask
    score: Floats | None = None
    slope: float = 1.0  # how fast a score rises with the logarithm of the gain

    def over(self, price: Floats) -> Ranking:
        """The same gains, asked for in the order of gain over price (n,)."""
        if self.score is None:
            return replace(self, score=self.gain / price)
        return replace(self, score=self.score - self.slope * np.log(price))

    @property
    def ordering(self) -> Floats:
        return self.gain if self.score is None else self.score


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an instance goes where it goes: a sentence, and the figures that it rests on."""

    text: str
    features: dict[str, float]


class Policy(ABC):
    """Subclasses set `name` and `version` and write `rank`; `settle` is theirs to better."""

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    replay_only: ClassVar[bool] = False
    learns: ClassVar[bool] = False  # whether its ranking changes as labels come in
    fuses: ClassVar[bool] = False  # whether it settles otherwise than by replacing the judge's verdict
    priced: ClassVar[bool] = False  # whether its gain is an expected gain, to be weighed against a price
    by_lot: ClassVar[bool] = (
        False  # whether everybody has the same chance, so that its answers describe the whole
    )
    audited: ClassVar[bool] = True  # whether a share is drawn by lot beside its choice

    @abstractmethod
    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        """What a label would add at each pair, when `cap` labels may be had in all."""

    def batch(self, *, spent: int, cap: int, size: int) -> int:
        """How many labels to buy before ranking again: all at once where ranking again changes nothing."""
        if not self.learns:
            return cap
        return max(int(np.ceil(FIRST_BATCH * size)), int(spent * (GROWTH - 1)), 1)

    def settle(self, table: Table, known: Known) -> Floats:
        """P(first, tie, second) of the final verdict (n, 3): people's where there are any, else the judge's."""
        asked, people = known.plurality(table.size)
        return one_hot(np.where(asked, people, table.ai))

    def differing(self, table: Table, known: Known) -> Floats | None:
        """P(a fresh person differs from the judge) at each pair (n,); None where the policy has no opinion."""
        return None

    @abstractmethod
    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        """Why each of `instances` stands where it does in `ranking`."""


def one_hot(verdict: Ints) -> Floats:
    """Certainty of each verdict: (n,) to (n, 3)."""
    return np.eye(3)[verdict + 1]


def verdicts_of(probability: Floats) -> Ints:
    """The most probable verdict of each row: (n, 3) to (n,)."""
    return VERDICTS[probability.argmax(axis=1)]


def choose(ranking: Ranking, *, chosen: Mask, room: int, rng: Generator) -> Ints:
    """Up to `room` further instances by falling gain, of those that are worth it; equal gains by lot."""
    lots = rng.random(len(ranking.worth))
    order = np.lexsort((lots, -ranking.ordering))
    open_ = ranking.worth & ~chosen
    return order[open_[order]][: max(room, 0)]
