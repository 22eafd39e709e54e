"""Intervals: Wilson, Clopper-Pearson, and the bootstrap over instances or clusters of them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from scipy.special import betaincinv, ndtri

from quality.verdicts import Floats, Ints

RESAMPLES = 1000
CONFIDENCE = 0.95
SEED = 20260101  # intervals on a page must not change when it is reloaded
CHUNK = 4_000_000  # cells of one block of bootstrap weights: 32 MB


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval and the number of observations; None where it is undefined."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


def wilson(
    successes: Floats | float, n: Floats | int, *, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """The score interval of a proportion (Wilson 1927, JASA 22); (0, 1) where n is 0."""
    k, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    z = ndtri(0.5 + confidence / 2)
    size = np.maximum(n, 1)
    share, denominator = k / size, 1 + z * z / size
    centre = (share + z * z / (2 * size)) / denominator
    half = z / denominator * np.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def clopper_pearson(
    successes: Floats | int, n: Floats | int, *, confidence: float = CONFIDENCE
) -> tuple[Floats, Floats]:
    """The exact interval of a proportion (Clopper and Pearson 1934, Biometrika 26)."""
    k, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    tail = (1 - confidence) / 2
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n - k + 1, tail), 0.0)
    high = np.where(k < n, betaincinv(k + 1, np.maximum(n - k, 1), 1 - tail), 1.0)
    return low, high


def proportion(successes: int, n: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """A share with its Wilson interval."""
    if n == 0:
        return Estimate(None, 0)
    low, high = wilson(successes, n, confidence=confidence)
    return Estimate(successes / n, n, float(low), float(high))


@dataclass(frozen=True)
class Statistic:
    """A figure that is a function of sums over items, so that its bootstrap is a matrix product.

    rows: (I, S) what each item adds; of: (…, S) sums -> (…) values, nan where undefined;
    n: how many observations the figure rests on; is_share: rows are (successes, trials).
    """

    rows: Floats
    of: Callable[[Floats], Floats]
    n: int
    is_share: bool = False

    @property
    def value(self) -> float | None:
        return number(self.of(self.rows.sum(axis=0)))

    def estimate(
        self,
        *,
        clusters: Ints | None = None,
        rng: Generator | None = None,
        resamples: int = RESAMPLES,
        confidence: float = CONFIDENCE,
    ) -> Estimate:
        """The value with its percentile bootstrap interval; `clusters` (I,) are resampled whole."""
        rows = self.rows if clusters is None else sum_by(clusters, self.rows)
        rng = rng or np.random.default_rng(SEED)
        if self.is_share and self.value in (0.0, 1.0):
            return self.unanimous(rows, confidence=confidence)
        values = self.of(bootstrap_sums(rows, rng=rng, resamples=resamples))
        low, high = percentile_interval(values, confidence=confidence)
        return Estimate(self.value, self.n, low, high)

    def unanimous(self, rows: Floats, *, confidence: float) -> Estimate:
        """A share of 0 or 1, of which every resample is a copy: Wilson's interval over clusters instead."""
        clusters = int((rows[:, 1] > 0).sum())
        low, high = wilson(clusters * (self.value or 0.0), clusters, confidence=confidence)
        return Estimate(self.value, self.n, float(low), float(high))


def difference(a: Statistic, b: Statistic) -> Statistic:
    """a minus b over the same items, so that its bootstrap is paired."""
    split = a.rows.shape[1]
    return Statistic(
        np.hstack([a.rows, b.rows]),
        lambda sums: a.of(sums[..., :split]) - b.of(sums[..., split:]),
        min(a.n, b.n),
    )


def bootstrap_sums(rows: Floats, *, rng: Generator, resamples: int = RESAMPLES) -> Floats:
    """Sums of `resamples` bootstrap samples of the rows, (B, S).

    Equal rows are drawn together: a multinomial over the distinct rows is the same distribution
    as one over all, and verdict counts have a few dozen distinct rows among any number of items.
    """
    if not len(rows):
        return np.full((resamples, rows.shape[1]), np.nan)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    block = max(1, CHUNK // len(distinct))
    sums = [
        rng.multinomial(len(rows), counts / len(rows), size=min(block, resamples - start)) @ distinct
        for start in range(0, resamples, block)
    ]
    return np.vstack(sums)


def sum_by(clusters: Ints, rows: Floats) -> Floats:
    """The rows' sums within each cluster, (C, S)."""
    _, codes = np.unique(clusters, return_inverse=True)
    sums = np.zeros((codes.max(initial=-1) + 1, rows.shape[1]))
    np.add.at(sums, codes, rows)
    return sums


def percentile_interval(
    values: Floats, *, confidence: float = CONFIDENCE
) -> tuple[float | None, float | None]:
    """The central interval of bootstrap values; None where too few of them are defined."""
    defined = values[~np.isnan(values)]
    if len(defined) < len(values) / 2 or not len(defined):
        return None, None
    low, high = np.quantile(defined, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """numerator / denominator, nan where the denominator is 0."""
    return np.divide(
        numerator, denominator, out=np.full(np.shape(denominator), np.nan), where=np.asarray(denominator) != 0
    )


def number(value: Floats | float) -> float | None:
    """A plain float, or None where it is not a number (JSON has no NaN)."""
    return None if np.isnan(value) else float(value)
