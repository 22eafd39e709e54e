"""Bradley-Terry: a strength for each of n competitors (models, responses) from pairwise verdicts."""

from typing import Self

import numpy as np

from quality.logistic import sigmoid
from quality.problems import NotConverged
from quality.verdicts import Floats, Ints

LONGEST_STEP = 2.0  # of a strength in one step: a full Newton step can overshoot


class BradleyTerry:
    """Strengths of most likelihood, by Newton's method (Bradley and Terry 1952, Biometrika 39).

        P(i beats j) = 1 / (1 + exp(s_j - s_i))

    A tie is half a win for each. `shrinkage` adds that many drawn comparisons of each competitor against
    one of strength 0, so that the strengths are finite where somebody never lost, and comparable where
    the graph of comparisons is not connected.

    Learned: scores_ (n,) strengths with mean 0; steps_. Raises `NotConverged`.

    >>> fitted = BradleyTerry(shrinkage=0).fit(*np.array([[0, 0, 0], [1, 1, 1], [-1, -1, 1]]), n=2)
    >>> round(float(fitted.scores_[0] - fitted.scores_[1]), 3)  # log(2 wins / 1 win)
    0.693
    """

    def __init__(self, *, shrinkage: float = 1.0, steps: int = 100, tolerance: float = 1e-8) -> None:
        self.shrinkage = shrinkage
        self.steps = steps
        self.tolerance = tolerance

    def fit(self, first: Ints, second: Ints, verdicts: Ints, *, n: int) -> Self:
        """Learns from verdicts (V,) between competitors `first` and `second` (V,), codes below n."""
        return self.fit_wins(win_table(first, second, verdicts, n=n))

    def fit_wins(self, wins: Floats) -> Self:
        """Learns from how often the row's competitor won against the column's, (n, n)."""
        games = wins + wins.T
        scores, change = np.zeros(len(wins)), np.inf
        for step in range(1, self.steps + 1):
            move = self.newton_step(scores, wins, games)
            change = float(np.abs(move).max(initial=0))
            scores = scores + move / max(1.0, change / LONGEST_STEP)
            if change < self.tolerance:
                self.steps_ = step
                self.scores_ = scores - scores.mean()
                return self
        raise NotConverged("Bradley-Terry", steps=self.steps, change=change, tolerance=self.tolerance)

    def newton_step(self, scores: Floats, wins: Floats, games: Floats) -> Floats:
        chance = sigmoid(scores[:, None] - scores[None, :])  # (n, n) row beats column
        alone = sigmoid(scores)  # against strength 0
        gradient = (wins - games * chance).sum(axis=1) + self.shrinkage * (0.5 - alone)
        weight = games * chance * (1 - chance)
        curvature = np.diag(weight.sum(axis=1) + self.shrinkage * alone * (1 - alone)) - weight
        return np.linalg.pinv(curvature) @ gradient  # without shrinkage all strengths may shift together


def win_table(first: Ints, second: Ints, verdicts: Ints, *, n: int) -> Floats:
    """How often the row's competitor won against the column's, (n, n); a tie is half a win for each."""
    wins = np.zeros((n, n))
    np.add.at(wins, (second, first), (verdicts + 1) / 2)
    np.add.at(wins, (first, second), (1 - verdicts) / 2)
    return wins
