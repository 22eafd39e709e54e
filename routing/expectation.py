"""How good a route's result will be: expected agreement of the settled verdicts with a fresh person's."""

from __future__ import annotations

import numpy as np
from django.db.models import Q
from numpy.random import Generator

from quality.ppi import ppi_mean
from routing.loading import Loaded
from routing.models import Decision
from routing.policies import POLICIES
from routing.policies.uncertainty import leaning
from routing.table import Floats, Known, Mask, Table

DRAWS = 4000
LEAST_AUDITS = 20  # fewer have no normal interval
NORMAL_95 = 1.959964
JUDGE_PRIOR = (1.4, 0.6)  # Beta: worth two labels at 0.7, where judges of the published sets lie
PEOPLE_PRIOR = (1.4, 0.6)


def expected_agreement(loaded: Loaded, human: Mask, *, seed: int) -> dict[str, float]:
    """{"mean", "low", "high"} of the agreement, by instance routed to people (`human`, (N,)) or to the judge.

    A mixture of two shares: how often the judge agrees with a person, and how often two people agree. The judge's
    share is prediction-powered from the audit, where one was drawn by lot (`quality.ppi`); otherwise, and for
    people, it is the Beta posterior over the pairs that carry both labels. Without such pairs it is wide.
    """
    table, known = loaded.table, loaded.people.known()
    rng = np.random.default_rng(seed)
    share = float(human[table.owner].mean()) if table.size else 0.0
    judge = audited_share(loaded, human, rng=rng)
    if judge is None:
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


def audited_share(loaded: Loaded, human: Mask, *, rng: Generator) -> Floats | None:
    """Draws of the judge's agreement where nobody is asked, from the audit (DRAWS,); None where it is too small.

    The audited pairs are a random sample of them and of those that stay with the judge; what the judges say of
    themselves (how far they lean) is the prediction that narrows the interval.
    """
    table, known = loaded.table, loaded.people.known()
    heard, people = known.plurality(table.size)
    lots = np.isin(np.array(table.instances)[table.owner], audited_instances(loaded)) & heard
    pool = lots | ~human[table.owner]
    if lots.sum() < LEAST_AUDITS or lots.sum() == pool.sum():
        return None
    agrees = (people == table.ai).astype(float)
    sure = np.abs(2 * leaning(table) - 1)
    found = ppi_mean(sure[pool], agrees[pool], lots[pool])
    if found.value is None or found.low is None or found.high is None:
        return None
    deviation = (found.high - found.low) / (2 * NORMAL_95)
    return np.clip(rng.normal(found.value, max(deviation, 1e-6), size=DRAWS), 0, 1)


def audited_instances(loaded: Loaded) -> list[int]:
    """The instances that a route of this aspect sent to people by lot."""
    sent = Decision.objects.filter(
        route__project=loaded.project, route__aspect=loaded.aspect, way=Decision.Way.HUMAN
    )
    drawn = [name for name in POLICIES if POLICIES.load(name).by_lot]
    by_lot = sent.filter(Q(audit=True) | Q(route__policy__in=drawn), propensity__lt=1)
    return list(by_lot.values_list("instance_id", flat=True).distinct())


def by_lot(loaded: Loaded) -> Known:
    """The human labels on instances that no policy chose: imported, a pilot's, an audit's."""
    drawn = [name for name in POLICIES if POLICIES.load(name).by_lot]
    chosen = Decision.objects.filter(
        route__project=loaded.project, route__aspect=loaded.aspect, way=Decision.Way.HUMAN, audit=False
    ).exclude(route__policy__in=drawn)
    instances = np.array(loaded.table.instances)[loaded.table.owner]
    picked = np.isin(instances, list(chosen.values_list("instance_id", flat=True).distinct()))
    known = loaded.people.known()
    kept = ~picked[known.instance]
    return Known(instance=known.instance[kept], rater=known.rater[kept], verdict=known.verdict[kept])


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
