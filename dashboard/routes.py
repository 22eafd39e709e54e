"""What stands beside a route: how to begin, whom to ask, the price of a label over time, examples of why."""

from dataclasses import dataclass
from typing import Any

from dashboard.charts import Reliability, draw_reliability
from dashboard.forecasts import Forecast
from dashboard.reasons import Why, reasons_of, with_reason
from dashboard.remembering import remembered, watermark
from ledger.models import Aspect, Instance, Label, Project
from routing.loading import load
from routing.models import Decision, Route
from routing.pay import expected_pay
from routing.pilots import PRECISION, pilot_size, precision_of
from routing.raters import Choice, choices
from web.problems import Problem

SHOWN_PRICES = 8
SHOWN_RATERS = 12


@dataclass(frozen=True)
class Advice:
    """How large a pilot should be, and how far it is. `percent` is its budget, of all instances."""

    recommended: int
    labelled: int
    precision: float
    reached: float

    @property
    def enough(self) -> bool:
        return self.labelled >= self.recommended

    @property
    def missing(self) -> int:
        return max(self.recommended - self.labelled, 0)


@dataclass(frozen=True)
class Shown:
    """A cause with the instance that shows it best."""

    why: Why
    ref: str
    beginning: str


def pilot_advice(project: Project, aspect: Aspect | None) -> Advice | None:
    """The recommended pilot of a project with instances; None without an aspect."""
    population = project.instances.count()
    if aspect is None or not population:
        return None
    labels = Label.objects.live().by_people().filter(project=project, aspect=aspect)
    labelled = labels.values("instance").distinct().count()
    wanted = float(project.settings.get("precision", PRECISION))
    return Advice(
        recommended=pilot_size(population, precision=wanted),
        labelled=labelled,
        precision=wanted,
        reached=precision_of(labelled, population),
    )


def people_to_ask(aspect: Aspect | None) -> list[Choice]:
    """Those who have labelled the aspect, whose labels are worth most for their money first."""
    if aspect is None:
        return []
    project = aspect.project
    mark = f"{watermark(project)}:{expected_pay(project):.4f}"
    return remembered(project, f"choices:{aspect.pk}", mark, lambda: compute(aspect))


def compute(aspect: Aspect) -> list[Choice]:
    try:
        return choices(load(aspect.project, aspect=aspect.name))[:SHOWN_RATERS]
    except Problem:
        return []


def shown_reasons(route: Route) -> list[Shown]:
    """The live reasons, each with the instance of the largest gain that it sends to people."""
    sent = Decision.objects.filter(route=route, way__in=(Decision.Way.HUMAN, Decision.Way.BOTH))
    found = []
    for why in reasons_of(route):
        best = with_reason(sent, why.skeleton).order_by("-gain", "pk").select_related("instance").first()
        found.append(Shown(why, best.instance.ref if best else "", beginning(best.instance) if best else ""))
    return found


def beginning(instance: Instance) -> str:
    return str(instance.messages[-1]["content"])[:120]


def last_prices(route: Route) -> list[dict[str, Any]]:
    """The newest lines of the route's log of prices, newest first."""
    return list(reversed(route.parameters.get("prices", [])))[:SHOWN_PRICES]


def calibration_of(forecast: Forecast) -> Reliability | None:
    """Whether P(a person differs) held in the replay; None where nothing was replayed."""
    differs = forecast.findings.get("differs")
    return draw_reliability(differs["reliability"]) if differs and differs["n"] else None
