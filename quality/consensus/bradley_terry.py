"""Bradley-Terry: a strength for each of n competitors (models, responses) from pairwise verdicts."""

from typing import Self

import numpy as np

from quality.problems import NotConverged
from quality.verdicts import Floats, Ints


class BradleyTerry:
    """Strengths by the minorise-maximise iteration (Hunter 2004, Annals of Statistics 32, eq. 3).

        P(j beats i) = w_j / (w_i + w_j),    w_i ← W_i / Σ_j n_ij / (w_i + w_j)

    W_i: i's wins, a tie being half a win for each; n_ij: comparisons. `shrinkage` adds that many
    drawn comparisons of each competitor against one of average strength, so that the strengths are
    finite where somebody never lost and comparable where the graph is not connected.

    Learned: scores_ (n,) log-strengths with mean 0; steps_.

    >>> fitted = BradleyTerry(shrinkage=0).fit(*np.array([[0, 0, 0], [1, 1, 1], [-1, -1, 1]]), n=2)
    >>> round(float(fitted.scores_[0] - fitted.scores_[1]), 3)  # log(2 wins / 1 win)
    0.693
    """

    def __init__(self, *, shrinkage: float = 1.0, steps: int = 10_000, tolerance: float = 1e-8) -> None:
        self.shrinkage = shrinkage
        self.steps = steps
        self.tolerance = tolerance

    def fit(
        self, first: Ints, second: Ints, verdicts: Ints, *, n: int, weights: Floats | None = None
    ) -> Self:
        """Learns from verdicts (V,) between competitors `first` and `second` (V,), codes below n."""
        wins = win_table(first, second, verdicts, n=n, weights=weights)
        won = wins.sum(axis=1) + self.shrinkage / 2
        games = wins + wins.T
        strength, change = np.ones(n), np.inf
        for step in range(1, self.steps + 1):
            met = (games / (strength[:, None] + strength[None, :])).sum(axis=1)
            fresh = won / (met + self.shrinkage / (strength + 1))
            change = float(np.abs(np.log(fresh) - np.log(strength)).max(initial=0))
            strength = fresh
            if change < self.tolerance:
                self.steps_ = step
                scores = np.log(strength)
                self.scores_ = scores - scores.mean()
                return self
        raise NotConverged("Bradley-Terry", steps=self.steps, change=change, tolerance=self.tolerance)

    def probability(self, first: Ints, second: Ints) -> Floats:
        """P(second preferred), (V,)."""
        return 1 / (1 + np.exp(self.scores_[first] - self.scores_[second]))


def win_table(first: Ints, second: Ints, verdicts: Ints, *, n: int, weights: Floats | None = None) -> Floats:
    """How often the row's competitor won against the column's, (n, n); a tie is half a win for each."""
    wins = np.zeros((n, n))
    weight = np.ones(len(verdicts)) if weights is None else weights
    np.add.at(wins, (second, first), weight * (verdicts + 1) / 2)
    np.add.at(wins, (first, second), weight * (1 - verdicts) / 2)
    return wins
