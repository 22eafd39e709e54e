"""How large a pilot must be, and how it is spread over a project: the cold start.

The share that a pilot estimates is how often the judge agrees with people. A simple random sample of n of N estimates
a share p to within ±w at confidence c for n = n0 / (1 + (n0 - 1) / N), n0 = z² p (1 - p) / w² (Cochran 1977, Sampling
Techniques, 4.4, with the correction for finite populations). Spread proportionally over strata its error is no
larger, up to the strata's rounding.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.random import Generator
from scipy.special import ndtri

from routing.features import TEXTS
from routing.features.topics import prompt_dimensions
from routing.table import Floats, Ints, Mask, Table

PRECISION = 0.05  # half the interval's width
CONFIDENCE = 0.95
UNKNOWN_RATE = 0.5  # the share with the widest interval, where nobody has labelled yet
TOPICS = 6


def pilot_size(
    population: int,
    *,
    precision: float = PRECISION,
    confidence: float = CONFIDENCE,
    rate: float = UNKNOWN_RATE,
) -> int:
    """Instances to label by lot so that the judge's agreement is known to ±precision; at most all of them.

    >>> pilot_size(10_000), pilot_size(500), pilot_size(10_000, precision=0.1)
    (370, 218, 96)
    """
    z = float(ndtri(0.5 + confidence / 2))
    endless = z**2 * rate * (1 - rate) / precision**2
    return min(population, ceil(endless / (1 + (endless - 1) / max(population, 1)) - 1e-9))


def precision_of(
    labelled: int, population: int, *, confidence: float = CONFIDENCE, rate: float = UNKNOWN_RATE
) -> float:
    """Half the width of the interval that `labelled` instances by lot give; 1 where there are none."""
    if labelled < 1:
        return 1.0
    rest = max(population - labelled, 0) / max(population - 1, 1)
    z = float(ndtri(0.5 + confidence / 2))
    return min(1.0, z * float(np.sqrt(rate * (1 - rate) / labelled * rest)))


def strata(table: Table) -> Ints:
    """A code for each pair (n,): what the prompt is about, and what the judge says."""
    dimensions = prompt_dimensions(table)
    topic = np.zeros(len(table.prompts), dtype=np.int64)
    if dimensions.shape[1] and len(dimensions) >= 2 * TOPICS:
        topic = TEXTS.load("clusters")(dimensions, count=TOPICS)
    return 3 * topic[table.prompt] + table.ai + 1


def spread_order(stratum: Ints, *, open_: Mask, rng: Generator) -> Floats:
    """A place in 0…1 for each row (n,), so that every beginning of the order takes proportionally from the strata.

    The rows of a stratum are shuffled and laid out evenly, each stratum from a start of its own by lot.
    """
    place = np.ones(len(stratum))
    for code in np.unique(stratum[open_]):
        rows = rng.permutation(np.flatnonzero(open_ & (stratum == code)))
        place[rows] = (np.arange(len(rows)) + rng.random()) / len(rows)
    return place
