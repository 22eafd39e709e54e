"""random: every instance has the same chance."""

import numpy as np
from numpy.random import Generator

from routing.policies.base import Policy, Ranking, Reason
from routing.table import Ints, Known, Table


class Random(Policy):
    """Asks by lot: what a router must beat, and the only choice whose answers describe the whole project."""

    name = "random"
    by_lot = True
    audited = False

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        return Ranking(gain=rng.random(table.size), worth=np.ones(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [Reason(text="Drawn by lot.", features={})] * len(instances)
