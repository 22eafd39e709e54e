"""What a policy would come to at each budget, from the labels that are there: before the money is spent.

What stays with the judge under a policy is not like the rest: the policy leaves it there because it looks safe. So the
labels that are known are held out, a fifth at a time, and the policy, fitted on the others, says of each whether it
would ask there, and what it would settle unasked; how often that is what the person said is the agreement to expect
where nobody is asked. The labels must have been drawn by lot, as a pilot's and an audit's are. Where people are
asked, the agreement to expect is that of two people.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from routing.expectation import JUDGE_PRIOR, PEOPLE_PRIOR, draw_share, people_hits
from routing.policies import POLICIES
from routing.policies.base import Policy, verdicts_of
from routing.table import Floats, Ints, Known, Mask, Table

FOLDS = 5
# A policy goes on learning while it spends, which no label that is there can show: the plain interval covered 87 % of
# what `defer` came to on PandaLM from a pilot of 100 (bench/forecast.md has what this one covers).
STRETCH = 1.3


def forecast(
    table: Table, known: Known, *, policy: str, budgets: Sequence[float], seed: int
) -> list[dict[str, float]]:
    """The agreement with a fresh person at each budget: {"budget", "mean", "low", "high"}, a central 95 %."""
    rng = np.random.default_rng(seed)
    pilot = np.unique(known.instance)
    fold = rng.permutation(len(pilot)) % FOLDS
    caps = [max(int(np.floor(budget * table.size + 1e-9)), len(pilot)) for budget in budgets]
    spared = np.zeros((len(budgets), len(pilot)), dtype=bool)  # where nobody would be asked …
    right = np.zeros(len(pilot), dtype=bool)  # … and whether what stands there is what a person said
    asked = np.zeros((FOLDS, len(budgets)))
    for number in range(FOLDS):
        held = pilot[fold == number]
        fitted, rest = POLICIES.load(policy)(), without(known, held)
        spared[:, fold == number], asked[number] = look(table, fitted, rest, held, pilot, caps, rng=rng)
        settled = verdicts_of(fitted.settle(table, rest))
        right[fold == number] = settled[held] == known.plurality(table.size)[1][held]
    people = draw_share(*people_hits(table, known), prior=PEOPLE_PRIOR, rng=rng)
    found = []
    for place, budget in enumerate(budgets):
        judge = draw_share(
            float((right & spared[place]).sum()), float(spared[place].sum()), prior=JUDGE_PRIOR, rng=rng
        )
        share = float(asked[:, place].mean())
        found.append({"budget": budget} | summary(share * people + (1 - share) * judge))
    return found


def summary(draws: Floats) -> dict[str, float]:
    """Mean and interval of the draws, the interval widened by `STRETCH`."""
    mean = float(draws.mean())
    low, high = mean + STRETCH * (np.quantile(draws, (0.025, 0.975)) - mean)
    return {"mean": mean, "low": max(float(low), 0.0), "high": min(float(high), 1.0)}


def without(known: Known, held: Ints) -> Known:
    """The labels outside `held`."""
    kept = ~np.isin(known.instance, held)
    return Known(instance=known.instance[kept], rater=known.rater[kept], verdict=known.verdict[kept])


def look(
    table: Table,
    policy: Policy,
    known: Known,
    held: Ints,
    pilot: Ints,
    caps: Sequence[int],
    *,
    rng: Generator,
) -> tuple[Mask, Floats]:
    """Whether each held-out pair would be left to the judge at each cap (B, h), and the share asked at each (B,)."""
    ranking = policy.rank(table, known, cap=max(caps), rng=rng)
    fresh = np.ones(table.size, dtype=bool)
    fresh[pilot] = False
    values = np.sort(ranking.ordering[fresh & ranking.worth])[::-1]
    spared, asked = [], []
    for cap in caps:
        room = min(cap - len(pilot), len(values))
        least = values[room - 1] if room > 0 else np.inf
        spared.append(~(ranking.worth[held] & (ranking.ordering[held] >= least)))
        asked.append((len(pilot) + room) / table.size)
    return np.array(spared).reshape(len(caps), len(held)), np.array(asked)
