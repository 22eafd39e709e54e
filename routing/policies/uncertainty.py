"""uncertainty: ask where the judges are least sure."""

import numpy as np
from numpy.random import Generator

from routing.features.judges import others
from routing.policies.base import Policy, Ranking, Reason
from routing.table import Floats, Ints, Known, Table

PRIOR_VOTES = 1.0  # one drawn vote, so that three judges who agree are surer than one


def leaning(table: Table) -> Floats:
    """The judges' share of votes for the second response (n,).

    The standing judge's probability where it gave one, else the votes of all judges, a tie (also one that comes
    from orders that disagree) counting as half a vote for each side.
    """
    votes = np.vstack([table.ai[None, :].astype(float), others(table)])
    spoken = ~np.isnan(votes)
    second = np.where(spoken, (votes + 1) / 2, 0.0).sum(axis=0)
    pooled = (second + PRIOR_VOTES / 2) / (spoken.sum(axis=0) + PRIOR_VOTES)
    own = table.probability[table.standing]
    return np.where(np.isnan(own), pooled, own)


class Uncertainty(Policy):
    """Asks where the judges are least sure.

    Falling 1 - |2p - 1|, where p is the judges' share of votes for the second response.
    """

    name = "uncertainty"

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        return Ranking(gain=1 - np.abs(2 * leaning(table) - 1), worth=np.ones(table.size, dtype=bool))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        return [
            Reason(
                text=f"The judges lean {share:.0%} to the second response.",
                features={"leaning": float(share)},
            )
            for share in leaning(table)[instances]
        ]
