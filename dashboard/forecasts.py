"""What a budget buys: expected agreement and price at every share, kept until the ledger moves on."""

from dataclasses import dataclass

import numpy as np

from dashboard.charts import Point
from dashboard.remembering import remembered, watermark
from ledger.models import Aspect
from routing.expectation import expected_agreement
from routing.loading import load
from routing.planning import owner_prices
from web.problems import Problem

BUDGETS = tuple(round(share / 20, 2) for share in range(21))
SEED = 1  # the picture must not change when it is reloaded
FEWEST = 20  # instances with both a person's and the judge's label, for an interval that says something


@dataclass(frozen=True)
class Forecast:
    """A curve over BUDGETS. `refused`: why there is none, and what is needed."""

    points: tuple[Point, ...] = ()
    prices: tuple[float, ...] = ()
    judge: str = ""
    both: int = 0
    refused: str = ""


def forecast_of(aspect: Aspect | None) -> Forecast:
    """The forecast of the main aspect; one that is refused says why."""
    if aspect is None:
        return Forecast(refused="Nothing is asked yet: add an aspect, or import labelled instances.")
    project = aspect.project
    return remembered(project, f"forecast:{aspect.pk}", str(watermark(project)), lambda: compute(aspect))


def compute(aspect: Aspect) -> Forecast:
    try:
        loaded = load(aspect.project, aspect=aspect.name)
    except Problem as problem:
        return Forecast(refused=problem.detail)
    table, known = loaded.table, loaded.people.known()
    both = int((known.asked(table.size) & ~np.isnan(table.verdict[table.standing])).sum())
    if both < FEWEST:
        return Forecast(
            refused=f"The forecast compares {loaded.judge.name} with people on instances that both labelled: "
            f"{both} of the {FEWEST} that it needs. Label {FEWEST - both} more, best drawn at random.",
            judge=loaded.judge.name,
            both=both,
        )
    order = np.random.default_rng(SEED).permutation(len(table.instances))
    prices = owner_prices(loaded)
    points = []
    for budget in BUDGETS:
        human = np.zeros(len(order), dtype=bool)
        human[order[: round(budget * len(order))]] = True
        points.append(Point(budget, **expected_agreement(loaded, human, seed=SEED)))
    costs = tuple(round(float(prices.mean() * len(order) * budget), 2) for budget in BUDGETS)
    return Forecast(tuple(points), costs, loaded.judge.name, both)
