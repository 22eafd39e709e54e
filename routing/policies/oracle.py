"""oracle: the bound that no policy can pass, in replay only."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from routing.policies.base import Policy, Ranking, Reason
from routing.table import Ints, Known, Table

NO_GOLD = 9  # stands in gold for "the other people do not settle it"


class Oracle(Policy):
    """Knows the gold: asks exactly where the person is right and the judge is wrong, and nowhere else.

    Replay gives it the truth through `see`; live routes have none.
    """

    name = "oracle"
    replay_only = True

    def see(self, *, gold: Ints, label: Ints) -> None:
        """gold (n,), `NO_GOLD` where there is none; label (n,): what a person would say."""
        self.gold, self.label = gold, label

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        helps = (self.label == self.gold).astype(float) - (table.ai == self.gold)
        helps[self.gold == NO_GOLD] = 0.0
        return Ranking(gain=helps, worth=helps > 0)

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [
            Reason(text="The gold says so.", features={"gain": float(gain)})
            for gain in ranking.gain[instances]
        ]


def no_gold(size: int) -> Ints:
    return np.full(size, NO_GOLD, dtype=np.int64)
