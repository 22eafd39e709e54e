"""Prediction-powered inference: a mean from few true values and many predictions, with an honest interval.

Angelopoulos et al. 2023 (Science 382, "Prediction-powered inference") and PPI++ (Angelopoulos, Duchi and
Zrnic 2023, arXiv 2311.01453), for a mean, with known probabilities of being audited.
"""

import numpy as np
from scipy.special import ndtri

from quality.intervals import CONFIDENCE, Estimate
from quality.verdicts import Bools, Floats


def ppi_mean(
    predictions: Floats,
    values: Floats,
    audited: Bools,
    *,
    propensities: Floats | None = None,
    power: float | None = None,
    confidence: float = CONFIDENCE,
) -> Estimate:
    """The mean of the true values over all N rows, of which only the audited ones are known.

        θ = mean(λ f_i) + mean( a_i / π_i (y_i - λ f_i) )

    predictions f: (N,) on every row; values y: (N,), read only where `audited` (N,) is true;
    propensities π: (N,) the chance with which each row was to be audited (default: equal, the audited
    share); power λ: trust in the predictions, chosen to minimise the variance where it is None (so that
    the interval is no wider, in large samples, than that of the audit alone). n is the number audited.
    The interval is normal and speaks of the population that the rows come from; with fewer than two
    audited rows there is none.
    """
    audited = np.asarray(audited, dtype=bool)
    n, size = int(audited.sum()), len(predictions)
    if n < 2:
        return Estimate(None, n)
    chance = np.full(size, n / size) if propensities is None else propensities
    weight = np.where(audited, 1 / chance, 0.0)
    known = np.where(audited, values, 0.0)
    trust = best_power(predictions, known, weight) if power is None else power
    terms = trust * predictions + weight * (known - trust * predictions)  # (N,)
    error = (
        audit_error(predictions, values, audited, trust=trust) if propensities is None else mean_error(terms)
    )
    value = float(terms.mean())
    half = float(ndtri(0.5 + confidence / 2) * error)
    return Estimate(value, n, value - half, value + half)


def best_power(predictions: Floats, known: Floats, weight: Floats) -> float:
    """The λ in 0…1 with the least variance of the audited part: cov(y, f) / var(f), weighted."""
    total = weight.sum()
    mean_f, mean_y = (weight @ predictions) / total, (weight @ known) / total
    variance = weight @ (predictions - mean_f) ** 2 / total
    covariance = weight @ ((predictions - mean_f) * (known - mean_y)) / total
    return float(np.clip(covariance / variance, 0, 1)) if variance > 0 else 0.0


def audit_error(predictions: Floats, values: Floats, audited: Bools, *, trust: float) -> float:
    """The standard error when the audited rows are a simple random sample.

    With c = 1 - n/N the estimate is mean_audited(y - λ c f) + λ c mean_rest(f): two independent means.
    """
    rest = ~audited
    part = trust * rest.mean()
    sampled = np.asarray(values)[audited] - part * predictions[audited]
    variance = sampled.var(ddof=1) / audited.sum()
    if rest.sum() > 1:
        variance += part**2 * predictions[rest].var(ddof=1) / rest.sum()
    return float(np.sqrt(variance))


def mean_error(terms: Floats) -> float:
    """The standard error of a mean of independent terms: rows audited independently, by known chances."""
    return float(terms.std(ddof=1) / np.sqrt(len(terms)))
