"""A Gaussian-prior log-linear model of pairwise verdicts with ties and nested random effects.

For a pair with odd features x (k,), even features e (l,) and responses (a, b):

    direction  f = x·w + q_b - q_a + d1,    tie  t = e·u + d2,
    P(first, tie, second) = softmax(-f, t, f)

which is Davidson's (1970) tie extension of Bradley-Terry with covariates: swapping the responses swaps the
probabilities exactly. w, u, q and d have Gaussian priors. The quality q of a response is shared by every pair
in which it appears; how large its variance must be says how far labels follow from each other, hence how
reliable they are. d = (d1, d2) is shared by all labels of one pair: it is what makes one person's label
informative about the next person's beyond the features.

d is integrated out by quadrature. The rest is fitted by Newton's method to the posterior mode, q eliminated by Schur
complements; uncertainty by Laplace's method (Rasmussen and Williams 2006, Gaussian Processes, 3.4), leave-one-out
by the cavity (5.4.2).
Shapes: n pairs, m of them labelled, D = k + l weights, R responses that are shared by several pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from routing.table import Floats, Ints

STEPS = 25
TOLERANCE = 1e-4  # of a Newton step, in log-odds
HALVINGS = 8  # of a step that does not help
LEAST_CURVE = 1e-6  # quadrature can miss by a little that the likelihood is log-concave
LONGEST_STEP = 2.0  # log-odds: a full step from afar can overshoot


# Quadrature over (f, t) by the trapezoid rule, as exact for Gaussians as Gauss and Hermite's, but with nodes in the
# tails, where a surprising label puts its weight; denser along f, whose deviation is the larger.
ALONG, ACROSS = 0.75 * np.arange(-4, 5), 1.2 * np.arange(-2, 3)
GRID = np.stack(np.meshgrid(ALONG, ACROSS, indexing="ij"), axis=-1).reshape(-1, 2)  # (Q, 2)
GRID_WEIGHTS = np.exp(-0.5 * (GRID**2).sum(axis=1))  # (Q,)
GRID_WEIGHTS /= GRID_WEIGHTS.sum()
KEPT = GRID_WEIGHTS > 1e-4
GRID, GRID_WEIGHTS = GRID[KEPT], GRID_WEIGHTS[KEPT] / GRID_WEIGHTS[KEPT].sum()


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Rows of a model: odd (n, k), even (n, l), responses (n, 2) with -1 for one that no other pair shares."""

    odd: Floats
    even: Floats
    pair: Ints

    def rows(self, index: Ints) -> Design:
        return Design(odd=self.odd[index], even=self.even[index], pair=self.pair[index])

    @property
    def lone(self) -> Ints:
        """How many of a pair's responses are shared with no other pair (n,)."""
        return (self.pair < 0).sum(axis=1)

    def directions(self) -> Floats:
        """The rows of f over all weights (n, D)."""
        return np.hstack([self.odd, np.zeros_like(self.even)])

    def ties(self) -> Floats:
        """The rows of t over all weights (n, D)."""
        return np.hstack([np.zeros_like(self.odd), self.even])


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """Mean and precision of the weights (D,), and variances of the effects, in squared log-odds."""

    mean: Floats
    precision: Floats
    response: float
    pair: float
    tie: float

    def variances(self, design: Design) -> Floats:
        """Variances of d1 and d2 (n, 2); responses that no other pair shares are part of d1."""
        direction = self.pair + self.response * design.lone
        return np.stack([direction, np.full(len(direction), self.tie)], axis=1)


def softmax(direction: Floats, tie: Floats) -> Floats:
    """P(first, tie, second), shape (..., 3)."""
    logits = np.stack([-direction, tie, direction], axis=-1)
    logits -= logits.max(axis=-1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= logits.sum(axis=-1, keepdims=True)
    return logits


def slopes(mean: Floats, variance: Floats, counts: Floats) -> tuple[float, Floats, Floats]:
    """Minus the log-likelihood of verdict counts (m, 3) at means (f, t) (m, 2), its gradient and Hessian by pair.

    The pairs' own effects, of these variances (m, 2), are integrated out. Their mode would take up each label, and the
    larger they may be, the less would be left for the rest to learn from. Gradient (m, 2), Hessian (m, 2, 2).
    """
    at = mean[:, None, :] + np.sqrt(variance)[:, None, :] * GRID  # (m, Q, 2)
    p = softmax(at[..., 0], at[..., 1])  # (m, Q, 3)
    weight = GRID_WEIGHTS * np.exp(np.einsum("mqk,mk->mq", np.log(np.maximum(p, 1e-12)), counts))
    value = -float(np.log(np.maximum(weight.sum(axis=1), 1e-300)).sum())
    weight /= weight.sum(axis=1, keepdims=True)
    total = counts.sum(axis=1)[:, None]
    lean, middle = p[..., 2] - p[..., 0], p[..., 1]
    g = np.stack([total * lean - (counts[:, 2:] - counts[:, :1]), total * middle - counts[:, 1:2]], axis=-1)
    gradient = np.einsum("mq,mqi->mi", weight, g)
    off = -total * lean * middle
    curve = np.stack([total * (1 - middle - lean**2), off, off, total * middle * (1 - middle)], axis=-1)
    hessian = np.einsum("mq,mqi->mi", weight, curve).reshape(-1, 2, 2)
    apart = g - gradient[:, None, :]
    hessian -= np.einsum("mq,mqi,mqj->mij", weight, apart, apart)
    return value, gradient, at_least(hessian, LEAST_CURVE)


def at_least(blocks: Floats, least: float) -> Floats:
    """Symmetric blocks (m, 2, 2) with their eigenvalues raised to `least`."""
    values, vectors = np.linalg.eigh(blocks)
    raised: Floats = (vectors * np.maximum(values, least)[:, None, :]) @ vectors.transpose(0, 2, 1)
    return raised


def times(blocks: Floats, vectors: Floats) -> Floats:
    """Block times vector, row by row: (m, 2, 2), (m, 2) to (m, 2)."""
    product: Floats = np.einsum("mij,mj->mi", blocks, vectors)
    return product


class Components:
    """The responses by connected component, padded to powers of two, so that blocks invert in batches."""

    def __init__(self, pair: Ints, count: int) -> None:
        linked = pair[(pair >= 0).all(axis=1)]
        graph = coo_array((np.ones(len(linked)), (linked[:, 0], linked[:, 1])), shape=(count, count))
        _, self.component = connected_components(graph, directed=False)
        sizes = np.bincount(self.component, minlength=1)
        order = np.argsort(self.component, kind="stable")
        start = np.r_[0, np.cumsum(sizes)[:-1]]
        self.slot = np.empty(count, dtype=np.int64)
        self.slot[order] = np.arange(count) - start[self.component[order]]
        self.width = (2 ** np.ceil(np.log2(np.maximum(sizes, 1)))).astype(np.int64)
        widths = np.unique(self.width) if count else ()  # where no response meets two others there are none
        self.members = {int(w): self._members(int(w), sizes, start, order) for w in widths}
        self.row = np.empty(len(sizes), dtype=np.int64)
        for width in self.members:
            held = np.flatnonzero(self.width == width)
            self.row[held] = np.arange(len(held))

    def _members(self, width: int, sizes: Ints, start: Ints, order: Ints) -> Ints:
        """Responses of the components of this width (G, width), -1 in the padding."""
        held = np.flatnonzero(self.width == width)
        column = np.arange(width)[None, :]
        place = np.minimum(start[held, None] + column, len(order) - 1)
        return np.where(column < sizes[held, None], order[place], -1)


class Layout:
    """Where labelled pairs (m, 2) add to the blocks of their components: found once for many sums."""

    def __init__(self, components: Components, pair: Ints) -> None:
        self.components = components
        self.places = {width: self._places(width, pair) for width in components.members}

    def _places(self, width: int, pair: Ints) -> tuple[Ints, Ints, Floats]:
        """For each addition to the blocks of this width: its flat cell, its pair, its sign."""
        found, cells, pairs, signs = self.components, [], [], []
        for side, other, sign in ((0, 0, 1.0), (1, 1, 1.0), (0, 1, -1.0), (1, 0, -1.0)):
            a, b = pair[:, side], pair[:, other]
            here = np.flatnonzero((a >= 0) & (b >= 0))
            here = here[found.width[found.component[a[here]]] == width]
            row = found.row[found.component[a[here]]]
            cells.append((row * width + found.slot[a[here]]) * width + found.slot[b[here]])
            pairs.append(here)
            signs.append(np.full(len(here), sign))
        return np.concatenate(cells), np.concatenate(pairs), np.concatenate(signs)

    def sum(self, width: int, weight: Floats) -> Floats:
        """The curvature of the components of this width (G, width, width) from the pairs' weights (m,)."""
        cells, pairs, signs = self.places[width]
        shape = (len(self.components.members[width]), width, width)
        flat = np.bincount(cells, weights=signs * weight[pairs], minlength=int(np.prod(shape)))
        return flat.astype(float).reshape(shape)


class Blocks:
    """The inverse of the response part of the Hessian, block by block."""

    def __init__(self, layout: Layout, weight: Floats, precision: float) -> None:
        """weight (m,): the curvature of each labelled pair in its direction."""
        self.components = layout.components
        self.inverse: dict[int, Floats] = {}
        for width in self.components.members:
            block = layout.sum(width, weight)
            block[:, np.arange(width), np.arange(width)] += precision
            self.inverse[width] = np.linalg.inv(block)

    def times(self, columns: Floats) -> Floats:
        """The inverse times (R, D), in (R, D)."""
        result = np.zeros_like(columns)
        for width, members in self.components.members.items():
            real = members >= 0
            padded = np.where(real[:, :, None], columns[np.maximum(members, 0)], 0.0)
            result[members[real]] = (self.inverse[width] @ padded)[real]
        return result

    def spread(self, pair: Ints) -> Floats:
        """Variance of q_b - q_a given the weights (n,)."""
        found, total = self.components, np.zeros(len(pair))
        for side, other, sign in ((0, 0, 1.0), (1, 1, 1.0), (0, 1, -2.0)):
            a, b = pair[:, side], pair[:, other]
            for width in found.members:
                here = (a >= 0) & (b >= 0)
                here[here] = found.width[found.component[a[here]]] == width
                joined = here.copy()
                joined[here] = found.component[a[here]] == found.component[b[here]]
                row = found.row[found.component[a[joined]]]
                total[joined] += sign * self.inverse[width][row, found.slot[a[joined]], found.slot[b[joined]]]
        return total


def incidence(pair: Ints, count: int) -> csr_array:
    """1 at a pair's second response, -1 at its first, nothing for one at -1: (n, R)."""
    rows = np.arange(len(pair))
    first, second = pair[:, 0] >= 0, pair[:, 1] >= 0
    values = np.r_[-np.ones(first.sum()), np.ones(second.sum())]
    places = (np.r_[rows[first], rows[second]], np.r_[pair[first, 0], pair[second, 1]])
    return csr_array((values, places), shape=(len(pair), count))


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """Gaussian beliefs about (f, t) of n pairs before their own labels: mean (n, 2), covariance (n, 2, 2)."""

    mean: Floats
    covariance: Floats


class VerdictModel:
    """The posterior of the model above, given verdict counts of labelled pairs.

    Learned: weights_ (D,), responses_ (R,), effects_ (m, 2).
    """

    def __init__(self, priors: Priors, components: Components) -> None:
        self.priors = priors
        self.components = components
        self.count = len(components.slot)
        self.weights_: Floats = priors.mean.copy()
        self.responses_: Floats = np.zeros(self.count)

    def fit(self, design: Design, counts: Floats, *, start: VerdictModel | None = None) -> Self:
        """Finds the posterior mode for counts (m, 3) on the labelled rows `design`."""
        self.design, self.counts = design, counts
        self.forward, self.even = design.directions(), design.ties()
        self.variance = self.priors.variances(design)
        self.link = incidence(design.pair, self.count)
        self.layout = Layout(self.components, design.pair)
        if start is not None:
            self.weights_, self.responses_ = start.weights_.copy(), start.responses_.copy()
        self._linearise()
        for _ in range(STEPS):
            if self._step() < TOLERANCE:
                break
        self._factor()
        return self

    def _mean(self) -> Floats:
        """(f, t) of the labelled pairs without their own effects (m, 2)."""
        direction = self.forward @ self.weights_ + self.link @ self.responses_
        return np.stack([direction, self.even @ self.weights_], axis=1)

    def _linearise(self) -> None:
        """Minus the log-posterior, and the pairs' gradient (m, 2) and curvature (m, 2, 2), at the current state."""
        value, self.gradient, self.weight = slopes(self._mean(), self.variance, self.counts)
        away = self.weights_ - self.priors.mean
        self.value = value + 0.5 * float(
            self.priors.precision @ away**2 + (self.responses_**2).sum() / self.priors.response
        )

    def _factor(self) -> None:
        weight = self.weight
        self.blocks = Blocks(self.layout, weight[:, 0, 0], 1.0 / self.priors.response)
        first = weight[:, 0, :1] * self.forward + weight[:, 0, 1:] * self.even  # (m, D)
        second = weight[:, 1, :1] * self.forward + weight[:, 1, 1:] * self.even
        dense = self.forward.T @ first + self.even.T @ second + np.diag(self.priors.precision)
        self.cross = self.link.T @ first  # (R, D)
        self.solved = self.blocks.times(self.cross)  # (R, D)
        self.schur = np.linalg.inv(dense - self.cross.T @ self.solved)  # (D, D)

    def _step(self) -> float:
        """One damped Newton step on everything, halved until it helps; the size of the step."""
        self._factor()
        g = self.gradient
        towards = self.priors.precision * (self.weights_ - self.priors.mean)
        dense = self.forward.T @ g[:, 0] + self.even.T @ g[:, 1] + towards
        response = self.link.T @ g[:, 0] + self.responses_ / self.priors.response
        move = -self.schur @ (dense - self.solved.T @ response)
        shift = -self.blocks.times(response[:, None])[:, 0] - self.solved @ move
        slope = np.stack([self.forward @ move + self.link @ shift, self.even @ move], axis=1)
        size = float(np.abs(slope).max(initial=0.0))
        pace = min(1.0, LONGEST_STEP / max(size, 1e-12))
        before, weights, responses = self.value, self.weights_, self.responses_
        for _ in range(HALVINGS):
            self.weights_, self.responses_ = weights + pace * move, responses + pace * shift
            self._linearise()
            if self.value <= before:
                break
            pace /= 2
        return pace * size

    def latent(self, design: Design) -> Latent:
        """Beliefs about pairs without their own labels, their own effects included."""
        mean, spread = self._believe(design)
        return Latent(mean=mean, covariance=spread + self.priors.variances(design)[:, :, None] * np.eye(2))

    def cavity(self) -> Latent:
        """Beliefs about the labelled pairs as if their own labels were not known."""
        mean, spread = self._believe(self.design)
        without = np.linalg.solve(np.eye(2) - spread @ self.weight, spread)
        return Latent(
            mean=mean + times(without, self.gradient),
            covariance=without + self.variance[:, :, None] * np.eye(2),
        )

    def _believe(self, design: Design) -> tuple[Floats, Floats]:
        """Mean (n, 2) and covariance (n, 2, 2) of (f, t) without the pairs' own effects."""
        forward, even = design.directions(), design.ties()
        link = incidence(design.pair, self.count)
        mean = np.stack(
            [
                forward @ self.weights_ + link @ self.responses_,
                even @ self.weights_,
            ],
            axis=1,
        )
        root = np.linalg.cholesky((self.schur + self.schur.T) / 2)
        first = (forward - link @ self.solved) @ root
        second = even @ root
        covariance = np.empty((len(mean), 2, 2))
        covariance[:, 0, 0] = (first**2).sum(axis=1) + self.blocks.spread(design.pair)
        covariance[:, 1, 1] = (second**2).sum(axis=1)
        covariance[:, 0, 1] = covariance[:, 1, 0] = (first * second).sum(axis=1)
        return mean, covariance


def chances(latent: Latent) -> Floats:
    """P(first, tie, second) at each node of the quadrature over (f, t) (n, Q, 3)."""
    c = latent.covariance
    a = np.sqrt(np.maximum(c[:, 0, 0], 1e-12))
    b = c[:, 0, 1] / a
    d = np.sqrt(np.maximum(c[:, 1, 1] - b**2, 1e-12))
    direction = latent.mean[:, :1] + a[:, None] * GRID[:, 0]
    tie = latent.mean[:, 1:] + b[:, None] * GRID[:, 0] + d[:, None] * GRID[:, 1]
    return softmax(direction, tie)


def joint(latent: Latent) -> Floats:
    """P(one person says y, another says g) of a pair (n, 3, 3)."""
    p = chances(latent)
    together: Floats = np.einsum("q,nqy,nqg->nyg", GRID_WEIGHTS, p, p)
    return together
