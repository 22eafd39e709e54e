"""all_human and all_ai: the two single sources, to compare with."""

import numpy as np
from numpy.random import Generator

from routing.policies.base import Policy, Ranking, Reason
from routing.table import Ints, Known, Table


class AllHuman(Policy):
    """Asks everywhere, in the order of the project, as far as the budget goes."""

    name = "all_human"
    audited = False

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        return Ranking(gain=-np.arange(table.size, dtype=float), worth=np.ones(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [Reason(text="Everything goes to people, in order.", features={})] * len(instances)


class AllAI(Policy):
    """Nobody is asked."""

    name = "all_ai"
    audited = False

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        return Ranking(gain=np.zeros(table.size), worth=np.zeros(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [Reason(text="The judge's verdict stands everywhere.", features={})] * len(instances)
