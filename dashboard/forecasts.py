"""What a budget buys: expected agreement and price at every share of people.

Three answers, the best one as soon as it is there. At once: a mixture of how often the judge and how
often people agree with a person, the same for every policy. Later, from a worker: where two people have
labelled the same instances, a replay of the policy on them, against what *other* people said; it shows
what choosing well adds over chance. Where they have not, the policy's forecast from the labels that were
drawn by lot, each held out in turn (`routing.forecast`).
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from celery import current_app
from django.core.cache import cache
from threadpoolctl import threadpool_limits

from dashboard.charts import Point
from dashboard.remembering import KEPT_SECONDS, remembered, watermark
from ledger.models import Aspect
from routing.expectation import by_lot, expected_agreement
from routing.forecast import forecast
from routing.loading import Loaded, load
from routing.models import Route
from routing.planning import owner_prices
from routing.policies import POLICIES
from routing.rehearsal import Rehearsal, rehearse
from web.problems import Problem

BUDGETS = tuple(round(share / 10, 1) for share in range(11))
REPLAYED = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
SEED = 1  # the picture must not change when it is reloaded
SEEDS = 4  # of a replay: enough for a picture, the interval resamples prompts too
FEWEST = 20  # instances with both a person's and the judge's label, for an interval that says something
GROWN = 1.05  # a replay is made anew once the ledger's watermark is so many times as high
BUSY_SECONDS = 900  # in which no second replay of the same aspect is asked for

CHANCE = "random"
BEST = "oracle"
UNLIKE = frozenset(
    {CHANCE, "pilot", "all_human", "all_ai", "guarantee"}
)  # policies without a curve of their own
USUAL = "defer"


@dataclass(frozen=True)
class Forecast:
    """A curve by budget. `policy` names what was replayed; empty: any. `refused`: why there is none."""

    points: tuple[Point, ...] = ()
    chance: tuple[Point, ...] = ()
    everything: float = 0.0  # the price of asking people about all
    judge: str = ""
    both: int = 0
    twice: int = 0  # of them, labelled by two people or more: what a replay can be held against
    policy: str = ""
    held_out: bool = False  # from labels held out in turn, where there is no second voice to replay against
    findings: dict[str, Any] = field(default_factory=dict)  # of the policy's replay
    refused: str = ""


def forecast_of(aspect: Aspect | None, route: Route | None) -> Forecast:
    """The aspect's forecast; one that is refused says why and what is needed."""
    if aspect is None:
        return Forecast(refused="Nothing is asked yet: add an aspect, or import labelled instances.")
    project, mark = aspect.project, watermark(aspect.project)
    judge = route.judge.name if route and route.judge else ""
    name = f"forecast:{aspect.pk}:{judge}"
    quick: Forecast = remembered(project, name, str(mark), lambda: compute(aspect, judge))
    if quick.refused:
        return quick
    return with_replay(quick, aspect, replayed_policy(route), mark)


def compute(aspect: Aspect, judge: str = "") -> Forecast:
    """The forecast that is there at once; `judge`: whose label stands, by default routing's own."""
    try:
        loaded = load(aspect.project, aspect=aspect.name, judge=judge or None)
    except Problem as problem:
        return Forecast(refused=problem.detail)
    people = loaded.people.known().counts(loaded.table.size).sum(axis=1)
    judged = ~np.isnan(loaded.table.verdict[loaded.table.standing])
    both, twice = int((judged & (people >= 1)).sum()), int((judged & (people >= 2)).sum())
    if both < FEWEST:
        return Forecast(
            refused=f"The forecast compares {loaded.judge.name} with people on instances that both labelled: "
            f"{both} of the {FEWEST} that it needs. Label {FEWEST - both} more, best drawn at random.",
            judge=loaded.judge.name,
            both=both,
        )
    points = tuple(mixed(loaded, budget) for budget in BUDGETS)
    everything = round(float(owner_prices(loaded).sum()), 2)
    return Forecast(points, (points[0], points[-1]), everything, loaded.judge.name, both, twice)


def mixed(loaded: Loaded, budget: float) -> Point:
    """What is expected when a share of the instances goes to people, whichever they are."""
    size = len(loaded.table.instances)
    human = np.zeros(size, dtype=bool)
    human[np.random.default_rng(SEED).permutation(size)[: round(budget * size)]] = True
    return Point(budget, **expected_agreement(loaded, human, seed=SEED))


# ---------------------------------------------------------------- replayed


def replayed_policy(route: Route | None) -> str:
    """The live route's policy where it has a curve, else the usual one."""
    return route.policy if route and route.policy not in UNLIKE else USUAL


def with_replay(quick: Forecast, aspect: Aspect, policy: str, mark: int) -> Forecast:
    """`quick` with the curve of the last replay; asks a worker for one where there is none or an old one."""
    key = key_of(aspect, policy, quick.judge)
    found: dict[str, Any] | None = cache.get(key)
    if (found is None or mark > GROWN * found["mark"]) and cache.add(f"{key}:busy", 1, BUSY_SECONDS):
        current_app.send_task("dashboard.tasks.replay_forecast", args=[aspect.pk, policy, quick.judge])
    if found is None or not found["points"]:
        return quick
    points, chance = (tuple(Point(*row) for row in found[name]) for name in ("points", "chance"))
    held_out, findings = bool(found.get("held_out")), found.get("findings", {})
    return replace(
        quick,
        points=points,
        chance=chance,
        both=found["n"],
        policy=policy,
        held_out=held_out,
        findings=findings,
    )


def key_of(aspect: Aspect, policy: str, judge: str) -> str:
    """Where a replay is kept: as plain numbers, so that a worker and a page of two releases understand each other."""
    return f"dashboard:replay:{aspect.pk}:{policy}:{judge}"


def replay_forecast(aspect: Aspect, policy: str, judge: str) -> None:
    """Replays the policy beside chance and the oracle, or forecasts it from labels held out, and keeps the curves.

    Empty ones where nothing can be compared.
    """
    mark, key = watermark(aspect.project), key_of(aspect, policy, judge)
    names = [policy, CHANCE, BEST] if policy in POLICIES else [CHANCE]
    wanted = Rehearsal(
        policies=names, budgets=REPLAYED, seeds=SEEDS, aspect=aspect.name, judge=judge, deep=True
    )
    try:
        report = rehearse(aspect.project, wanted)
        if report["n"] < FEWEST:
            report = from_held_out(aspect, names, judge)
    except Problem:
        report = from_held_out(aspect, names, judge)
    kept = {
        "points": curve(report, policy),
        "chance": curve(report, CHANCE),
        "held_out": "findings" not in report,
        "findings": report.get("findings", {}).get(policy, {}),
    }
    cache.set(key, {"mark": mark, "n": report["n"], **kept}, KEPT_SECONDS)
    cache.delete(f"{key}:busy")


def from_held_out(aspect: Aspect, names: list[str], judge: str) -> dict[str, Any]:
    """A report like a replay's, from the labels drawn by lot, each held out in turn; empty where they are few."""
    try:
        loaded = load(aspect.project, aspect=aspect.name, judge=judge or None)
    except Problem:
        return {"n": 0, "policies": {}}
    known = by_lot(loaded)
    if len(np.unique(known.instance)) < FEWEST:
        return {"n": 0, "policies": {}}
    with threadpool_limits(1):
        curves = {
            name: forecast(loaded.table, known, policy=name, budgets=REPLAYED, seed=SEED)
            for name in names
            if name != BEST
        }
    return {
        "n": len(np.unique(known.instance)),
        "policies": {name: {"curve": each} for name, each in curves.items()},
    }


def curve(report: dict[str, Any], policy: str) -> list[list[float]]:
    """A policy's curve from a replay's report, a `Point`'s figures a row; empty where it was refused."""
    rows = report["policies"].get(policy, {}).get("curve", [])
    return [[row["budget"], row["mean"], row["low"], row["high"]] for row in rows]
