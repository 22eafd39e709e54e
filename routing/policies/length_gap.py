"""length_gap: ask where the judge chose by far the longer response."""

import numpy as np
from numpy.random import Generator

from routing.features.lengths import length_gap
from routing.policies.base import Policy, Ranking, Reason
from routing.table import Floats, Known, Table


def towards_longer(table: Table) -> Floats:
    """The signed length gap in the direction of the judge's verdict (n,): 1 is the dataset's widest, chosen."""
    return length_gap(table) * table.ai


class LengthGap(Policy):
    """Judges favour length (Dubois et al. 2024, arXiv 2404.04475): the longer the winner, the more suspect."""

    name = "length_gap"

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        return Ranking(gain=towards_longer(table), worth=np.ones(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instance: int) -> Reason:
        gap = float(towards_longer(table)[instance])
        if gap > 0:
            text = f"The judge chose the longer response; the gap is wider than {gap:.0%} of all."
        else:
            text = "The judge did not choose the longer response."
        return Reason(text=text, features={"towards_longer": gap})
