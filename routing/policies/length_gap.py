"""length_gap: ask where the judge went furthest against length."""

import numpy as np
from numpy.random import Generator

from routing.features.lengths import length_gap
from routing.policies.base import Policy, Ranking, Reason
from routing.table import Floats, Ints, Known, Table


def towards_shorter(table: Table) -> Floats:
    """The signed length gap against the judge's verdict (n,): 1 is the dataset's widest gap, the shorter chosen."""
    return -length_gap(table) * table.ai


class LengthGap(Policy):
    """Asks where the judge preferred the much shorter response; its ties come in the middle.

    People and judges both lean to the longer response (Dubois et al. 2024, arXiv 2404.04475), so a verdict
    against length needs more to be right.
    """

    name = "length_gap"

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        return Ranking(gain=towards_shorter(table), worth=np.ones(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [reason(float(gap)) for gap in towards_shorter(table)[instances]]


def reason(gap: float) -> Reason:
    if gap > 0:
        text = f"The judge chose the shorter response; the gap is wider than {gap:.0%} of all."
    else:
        text = "The judge did not choose the shorter response."
    return Reason(text=text, features={"towards_shorter": gap})
