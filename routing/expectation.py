"""How good a route's result will be: expected agreement of the settled verdicts with a fresh person's."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from routing.loading import Loaded
from routing.table import Floats, Known, Mask, Table

DRAWS = 4000
JUDGE_PRIOR = (1.4, 0.6)  # Beta: worth two labels at 0.7, where judges of the published sets lie
PEOPLE_PRIOR = (1.4, 0.6)


def expected_agreement(loaded: Loaded, human: Mask, *, seed: int) -> dict[str, float]:
    """{"mean", "low", "high"} of the agreement, by instance routed to people (`human`, (N,)) or to the judge.

    A mixture of two shares, each with its Beta posterior: how often the judge agrees with a person, and how
    often two people agree, counted over the pairs that carry both. Without such pairs the interval is wide.
    """
    table, known = loaded.table, loaded.people.known()
    rng = np.random.default_rng(seed)
    share = float(human[table.owner].mean()) if table.size else 0.0
    judge = draw_share(*judge_hits(table, known), prior=JUDGE_PRIOR, rng=rng)
    people = draw_share(*people_hits(table, known), prior=PEOPLE_PRIOR, rng=rng)
    draws = share * people + (1 - share) * judge
    low, high = np.quantile(draws, (0.025, 0.975))
    return {
        "mean": round(float(draws.mean()), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
    }


def draw_share(hits: float, count: float, *, prior: tuple[float, float], rng: Generator) -> Floats:
    """Draws of a share from its posterior (DRAWS,)."""
    return rng.beta(prior[0] + hits, prior[1] + count - hits, size=DRAWS)


def judge_hits(table: Table, known: Known) -> tuple[float, float]:
    """How many human labels the standing judge agrees with, and of how many that it also judged.

    Labels of one instance are one observation: each counts a share of it.
    """
    judged = ~np.isnan(table.verdict[table.standing])[known.instance]
    weight = judged / np.maximum(known.counts(table.size).sum(axis=1), 1)[known.instance]
    return float(weight @ (known.verdict == table.ai[known.instance])), float(weight.sum())


def people_hits(table: Table, known: Known) -> tuple[float, float]:
    """The agreement of two people on one pair, summed over the pairs with two labels or more."""
    counts = known.counts(table.size)
    total = counts.sum(axis=1)
    twice = total >= 2
    agreeing = (counts * (counts - 1)).sum(axis=1)[twice]
    return float((agreeing / (total * (total - 1))[twice]).sum()), float(twice.sum())
