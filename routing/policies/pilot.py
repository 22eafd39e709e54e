"""pilot: a random beginning, spread over topics and the judge's verdicts."""

import numpy as np
from numpy.random import Generator

from routing.pilots import spread_order, strata
from routing.policies.base import Policy, Ranking, Reason
from routing.table import Ints, Known, Table


class Pilot(Policy):
    """Asks by lot, proportionally from every topic and verdict: how to begin where nobody has labelled yet."""

    name = "pilot"
    by_lot = True
    audited = False

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        place = spread_order(strata(table), open_=np.ones(table.size, dtype=bool), rng=rng)
        return Ranking(gain=1 - place, worth=np.ones(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [Reason(text="Drawn by lot for the pilot.", features={})] * len(instances)
