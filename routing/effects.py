"""A Gaussian-prior log-linear model of pairwise verdicts with ties and nested random effects.

For row i with odd features x (k,), even features e (l,), responses (a, b) and an instance effect d = (d1, d2):

    direction  f = x·w + q_b - q_a + d1,    tie  t = e·u + d2,
    P(first, tie, second) = softmax(-f, t, f)

which is Davidson's (1970) tie extension of Bradley-Terry with covariates, so that swapping the responses swaps
the verdict's probabilities exactly. w, u, q and d have Gaussian priors. The quality q of a response is shared by
all pairs in which it appears; the variance of q against the logistic noise says how transitive, hence how
reliable, the labels are. d is shared by all labels of one instance: it is what makes one label informative
about the next person's. Fitted by Newton's method to the posterior mode; uncertainty by Laplace's method
(Rasmussen and Williams 2006, section 3.4), leave-one-out by the cavity (their section 5.4.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.table import Floats, Ints, Mask

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
GRID = np.stack(np.meshgrid(NODES, NODES, indexing="ij"), axis=-1).reshape(-1, 2)  # (Q, 2)
GRID_WEIGHTS = np.outer(WEIGHTS, WEIGHTS).ravel() / WEIGHTS.sum() ** 2  # (Q,)
KEPT = GRID_WEIGHTS > 1e-4
GRID, GRID_WEIGHTS = GRID[KEPT], GRID_WEIGHTS[KEPT] / GRID_WEIGHTS[KEPT].sum()


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Rows of a model: odd (n, k), even (n, l), and the two responses (n, 2), -1 where they have no effect."""

    odd: Floats
    even: Floats
    pair: Ints

    def rows(self, index: Ints) -> Design:
        return Design(odd=self.odd[index], even=self.even[index], pair=self.pair[index])


@dataclass(frozen=True, slots=True)
class Priors:
    """Means (k,), (l,) and precisions (k,), (l,) of the weights; variances of the effects on log-odds."""

    odd_mean: Floats
    even_mean: Floats
    odd_precision: Floats
    even_precision: Floats
    response_variance: float
    instance_variance: float
    tie_variance: float


def softmax(direction: Floats, tie: Floats) -> Floats:
    """P(first, tie, second), shape (..., 3)."""
    logits = np.stack([-direction, tie, direction], axis=-1)
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    return logits / logits.sum(axis=-1, keepdims=True)


def slopes(direction: Floats, tie: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """Gradient (m, 2) and Hessian (m, 2, 2) of minus the log-likelihood of verdict counts (m, 3)."""
    p = softmax(direction, tie)
    total = counts.sum(axis=1)
    lean, middle = p[:, 2] - p[:, 0], p[:, 1]
    gradient = np.stack([total * lean - (counts[:, 2] - counts[:, 0]), total * middle - counts[:, 1]], axis=1)
    off = -total * lean * middle
    hessian = np.stack([total * (1 - middle - lean**2), off, off, total * middle * (1 - middle)], axis=1)
    return gradient, hessian.reshape(-1, 2, 2)


def invert(blocks: Floats) -> Floats:
    """Inverses of symmetric 2 x 2 blocks (m, 2, 2)."""
    a, b, d = blocks[:, 0, 0], blocks[:, 0, 1], blocks[:, 1, 1]
    return np.stack([d, -b, -b, a], axis=1).reshape(-1, 2, 2) / (a * d - b * b)[:, None, None]


class Blocks:
    """Inverts the response part of the Hessian, which falls apart into connected components of responses.

    Components are padded to powers of two and inverted in batches.
    """

    def __init__(self, pair: Ints, responses: int) -> None:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        edges = (np.ones(len(pair)), (pair[:, 0], pair[:, 1]))
        _, component = connected_components(coo_array(edges, shape=(responses, responses)), directed=False)
        order = np.argsort(component, kind="stable")
        sizes = np.bincount(component)
        start = np.r_[0, np.cumsum(sizes)[:-1]]
        self.slot = np.empty(responses, dtype=np.int64)
        self.slot[order] = np.arange(responses) - start[component[order]]
