"""A project at a glance: its figures, what a budget buys, why these go to people, judges beside people, next."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.rights import Right, allowed
from annotate.models import Flag
from annotate.notices import unseen_notices
from dashboard.charts import at_budget, draw_curve
from dashboard.doors import page, within
from dashboard.facts import Facts, facts_of, next_steps, undecided
from dashboard.figures import (
    below_baseline,
    has_labels,
    judges_beside_people,
    main_aspect,
    people_one_by_one,
    row_of,
)
from dashboard.forecasts import Forecast, forecast_of
from dashboard.reasons import reasons_of
from ledger.access import Place
from ledger.models import Aspect
from routing.models import Route
from web.paging import digits
from web.problems import Invalid

DEFAULT_BUDGET = 20  # per cent, where no route names another


@within(Right.REVIEW)
def overview(request: HttpRequest, place: Place) -> HttpResponse:
    """The overview; htmx asks for the forecast alone when the slider moves."""
    project = place.project
    facts = facts_of(project)
    route = Route.objects.live().filter(project=project).select_related("aspect", "judge").first()
    aspect = main_aspect(project, route.aspect.name if route else "")
    forecast = forecast_of(aspect, route)
    context = {"facts": facts, "route": route, "aspect": aspect, **forecast_context(request, route, forecast)}
    if not request.headers.get("HX-Request"):
        context |= panels(place, aspect, route, facts, forecast)
    return page(
        request,
        place,
        "dashboard/overview.html",
        context,
        tab="overview",
        fragment="dashboard/_forecast.html",
    )


def panels(
    place: Place, aspect: Aspect | None, route: Route | None, facts: Facts, forecast: Forecast
) -> dict[str, Any]:
    """All but the forecast."""
    project = place.project
    labelled = aspect is not None and has_labels(project)
    panel = judges_beside_people(aspect) if aspect and labelled else None
    judge = row_of(panel, route.judge.name if route and route.judge else forecast.judge)
    leaning = sum(row.leans for row in people_one_by_one(aspect)) if aspect and labelled else 0
    weak = judge.name if judge and below_baseline(judge) else ""
    steps = next_steps(project, facts, weak=weak, disputed=undecided(project), leaning=leaning)
    return {
        "panel": panel,
        "judge": judge,
        "reasons": reasons_of(route) if route else [],
        "steps": [step for step in steps if allowed_step(place, step.view)],
        "flagged": Flag.objects.open().filter(project=project).count(),
        "notices": unseen_notices(project) if allowed(place.user, place.role, Right.MANAGE) else [],
    }


def allowed_step(place: Place, view: str) -> bool:
    """Reviewers see what they may act on."""
    needed = {"instances": Right.REVIEW, "quality": Right.REVIEW, "exports": Right.EXPORT}
    return allowed(place.user, place.role, needed.get(view, Right.MANAGE))


def forecast_context(request: HttpRequest, route: Route | None, forecast: Forecast) -> dict[str, Any]:
    """The chart at the budget that the slider shows."""
    planned = round(100 * route.budget) if route and route.budget is not None else DEFAULT_BUDGET
    percent = chosen_percent(request, planned)
    if not forecast.points:
        return {"forecast": forecast, "percent": percent}
    mark = at_budget(forecast.points, percent / 100)
    return {
        "forecast": forecast,
        "percent": percent,
        "mark": mark,
        "price": forecast.everything * percent / 100,
        "curve": draw_curve(forecast.points, chance=forecast.chance, mark=mark),
        "first": forecast.points[0],
        "people": forecast.chance[-1],
    }


def chosen_percent(request: HttpRequest, default: int) -> int:
    text = request.GET.get("budget", "")
    if not text:
        return default
    percent = digits(text)
    if percent is None or percent > 100:
        raise Invalid(f"The budget must be 0…100 per cent, not {text!r:.40}.", budget=text[:40])
    return percent
