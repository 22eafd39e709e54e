"""Logistic regression for slopes with intervals: Newton's method, a weak prior, errors robust to clusters."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from quality.intervals import CONFIDENCE, Estimate, sum_by
from quality.problems import NotConverged
from quality.verdicts import Floats, Ints

PRIOR_SCALE = 10.0  # weak, yet coefficients stay finite when a rater follows a column without fail
STEPS = 100
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Fit:
    """Coefficients (P,) and their covariance (P, P) over n observations."""

    coefficients: Floats
    covariance: Floats
    n: int

    def estimate(self, position: int, *, confidence: float = CONFIDENCE) -> Estimate:
        """One coefficient with its normal interval."""
        value = float(self.coefficients[position])
        half = float(ndtri(0.5 + confidence / 2) * np.sqrt(self.covariance[position, position]))
        return Estimate(value, self.n, value - half, value + half)


def logistic(
    x: Floats,
    y: Floats,
    *,
    clusters: Ints | None = None,
    offset: Floats | float = 0.0,
    prior_scale: float = PRIOR_SCALE,
) -> Fit:
    """Maximises Σ y log p + (1 - y) log(1 - p) - Σ (b / prior_scale)² / 2 with logit p = x b + offset.

    x: (N, P); y: (N,) in 0…1 (a tie is 0.5). Covariance: the sandwich H⁻¹ (Σ_c s_c s_cᵀ) H⁻¹ with
    the scores s summed within clusters (Liang and Zeger 1986, Biometrika 73). Raises `NotConverged`.
    """
    x = np.asarray(x, dtype=float)
    penalty = np.eye(x.shape[1]) / prior_scale**2
    b, change = np.zeros(x.shape[1]), np.inf
    for _ in range(STEPS):
        p = sigmoid(x @ b + offset)
        hessian = (x * (p * (1 - p))[:, None]).T @ x + penalty
        step = np.linalg.solve(hessian, x.T @ (y - p) - penalty @ b)
        step /= max(1.0, np.abs(step).max() / 2)  # a long Newton step can overshoot
        b = b + step
        change = float(np.abs(step).max())
        if change < TOLERANCE:
            return Fit(b, sandwich(x, y - sigmoid(x @ b + offset), hessian, clusters), len(y))
    raise NotConverged("Logistic regression", steps=STEPS, change=change, tolerance=TOLERANCE)


def sandwich(x: Floats, residuals: Floats, hessian: Floats, clusters: Ints | None) -> Floats:
    """The covariance that is right whether or not observations of one cluster are independent, (P, P)."""
    scores = x * residuals[:, None]
    scores = scores if clusters is None else sum_by(clusters, scores)
    inverse = np.linalg.inv(hessian)
    correction = len(scores) / max(len(scores) - 1, 1)
    return inverse @ (scores.T @ scores) @ inverse * correction


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + e^-z) without overflow."""
    return np.exp(-np.logaddexp(0, -z))


def logit(p: Floats, *, floor: float = 1e-6) -> Floats:
    """log(p / (1 - p)), with p kept `floor` away from 0 and 1."""
    p = np.clip(p, floor, 1 - floor)
    return np.log(p) - np.log1p(-p)
