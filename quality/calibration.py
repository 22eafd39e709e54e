"""Whether probabilities are true, and how to make them so.

Probabilities p are P(second response preferred), (N,); outcomes y are 1, 0 or 0.5 for a tie, (N,).
"""

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from quality.intervals import Estimate, wilson
from quality.logistic import Fit, logistic, logit, sigmoid
from quality.verdicts import Floats, Ints
from web.registry import Registry

BINS = 10

CALIBRATORS = Registry(
    "calibrator",
    {
        "isotonic": "quality.calibration:Isotonic",
        "temperature": "quality.calibration:Temperature",
        "platt": "quality.calibration:Platt",
    },
)


# ---------------------------------------------------------------- measuring


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins of equal size by probability. All (B,)."""

    predicted: Floats  # mean probability
    observed: Floats  # mean outcome
    n: Ints
    low: Floats  # Wilson interval of the observed share
    high: Floats


def reliability(p: Floats, y: Floats, *, bins: int = BINS) -> Reliability:
    """Mean prediction and outcome in `bins` groups of equal size, by rising probability."""
    order = np.argsort(p, kind="stable")
    groups = [g for g in np.array_split(order, min(bins, max(len(p), 1))) if len(g)]
    n = np.array([len(g) for g in groups], dtype=int)
    predicted = np.array([p[g].mean() for g in groups])
    observed = np.array([y[g].mean() for g in groups])
    return Reliability(predicted, observed, n, *wilson(observed * n, n))


def ece(p: Floats, y: Floats, *, bins: int = BINS) -> float:
    """The expected calibration error Σ n_b/N |observed - predicted|. Positive even for perfect probabilities:
    about 0.07 for 200 outcomes."""
    table = reliability(p, y, bins=bins)
    return float(np.average(np.abs(table.observed - table.predicted), weights=table.n))


def ece_debiased(p: Floats, y: Floats, *, bins: int = BINS) -> float:
    """The root of the debiased squared calibration error (Kumar, Liang and Ma 2019, NeurIPS, definition 5.1).

    Each bin's squared gap less the sampling variance of its observed share, so that perfect
    probabilities give 0 on average at any n; never below 0.
    """
    table = reliability(p, y, bins=bins)
    variance = table.observed * (1 - table.observed) / np.maximum(table.n - 1, 1)
    squared = np.average((table.observed - table.predicted) ** 2 - variance, weights=table.n)
    return float(np.sqrt(max(squared, 0.0)))


def brier(p: Floats, y: Floats) -> float:
    """The mean squared difference of probability and outcome (Brier 1950)."""
    return float(np.mean((np.asarray(p) - y) ** 2))


def log_loss(p: Floats, y: Floats) -> float:
    """The mean negative log-likelihood."""
    z = logit(p)
    return float(np.mean(np.logaddexp(0, z) - y * z))


def slope_and_intercept(p: Floats, y: Floats, *, clusters: Ints | None = None) -> tuple[Estimate, Estimate]:
    """Cox's calibration slope and intercept: logit P(y) = slope · logit(p) + intercept.

    Cox 1958, Biometrika 45. True probabilities have slope 1 and intercept 0; below 1 is overconfidence.
    """
    fit = recalibration(p, y, clusters=clusters)
    return fit.estimate(0), fit.estimate(1)


def recalibration(p: Floats, y: Floats, *, clusters: Ints | None = None) -> Fit:
    z = logit(p)
    return logistic(np.stack([z, np.ones_like(z)], axis=1), y, clusters=clusters)


# ---------------------------------------------------------------- mending


class Calibrator(Protocol):
    """Maps raw probabilities to true ones."""

    def fit(self, p: Floats, y: Floats) -> Self: ...

    def predict(self, p: Floats) -> Floats: ...


class Isotonic:
    """The non-decreasing function nearest to the outcomes (Zadrozny and Elkan 2002, KDD).

    By pooling adjacent violators, interpolated linearly between the blocks' mean probabilities, and
    kept half an outcome in N + 1 away from certainty. Learned: x_, y_.
    """

    def fit(self, p: Floats, y: Floats) -> Self:
        values, codes, counts = np.unique(p, return_inverse=True, return_counts=True)
        means = np.bincount(codes, weights=y) / counts
        self.x_, level = pooled(counts.astype(float), values, means)
        margin = 0.5 / (len(p) + 1)
        self.y_ = np.clip(level, margin, 1 - margin)
        return self

    def predict(self, p: Floats) -> Floats:
        return np.interp(p, self.x_, self.y_)


def pooled(weights: Floats, places: Floats, levels: Floats) -> tuple[Floats, Floats]:
    """Adjacent violators pooled: each block's mean place and mean level, the levels rising."""
    blocks: list[tuple[float, float, float]] = []
    for weight, place, level in zip(weights.tolist(), places.tolist(), levels.tolist(), strict=True):
        blocks.append((weight, place, level))
        while len(blocks) > 1 and blocks[-2][2] >= blocks[-1][2]:
            (w1, x1, y1), (w2, x2, y2) = blocks[-2:]
            total = w1 + w2
            blocks[-2:] = [(total, (w1 * x1 + w2 * x2) / total, (w1 * y1 + w2 * y2) / total)]
    _, place, level = np.array(blocks).T
    return place, level


class Temperature:
    """One factor on the log-odds (Guo et al. 2017, ICML): no cure for a leaning. Learned: factor_."""

    def fit(self, p: Floats, y: Floats) -> Self:
        self.factor_ = float(logistic(logit(p)[:, None], y).coefficients[0])
        return self

    def predict(self, p: Floats) -> Floats:
        return sigmoid(self.factor_ * logit(p))


class Platt:
    """A factor and a shift on the log-odds (Platt 1999). Learned: factor_, shift_."""

    def fit(self, p: Floats, y: Floats) -> Self:
        self.factor_, self.shift_ = recalibration(p, y).coefficients.tolist()
        return self

    def predict(self, p: Floats) -> Floats:
        return sigmoid(self.factor_ * logit(p) + self.shift_)


def cross_fitted(name: str, p: Floats, y: Floats, *, groups: Ints, folds: int = 5, seed: int = 0) -> Floats:
    """Calibrated probabilities (N,), each from a calibrator that saw nothing of its group (its prompt)."""
    fold = fold_of(groups, folds=folds, seed=seed)
    calibrated = np.empty(len(p))
    for k in np.unique(fold):
        held = fold == k
        calibrated[held] = CALIBRATORS.load(name)().fit(p[~held], y[~held]).predict(p[held])
    return calibrated


def fold_of(groups: Ints, *, folds: int, seed: int) -> Ints:
    """A fold for each row, (N,), the same for all rows of a group; groups are dealt out at random."""
    names, codes = np.unique(groups, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(names)) % folds
    return dealt[codes]
