"""A project at a glance: its figures, what a budget buys, why these go to people, judges beside people, next."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.rights import Right, allowed
from dashboard.beside import Beside, Judge, beside, has_labels, main_aspect
from dashboard.charts import at_budget, draw_curve
from dashboard.doors import page, within
from dashboard.facts import Facts, facts_of, next_steps, undecided
from dashboard.forecasts import Forecast, forecast_of
from dashboard.reasons import reasons_of
from ledger.access import Place
from ledger.models import Aspect, Project
from routing.models import Route
from web.problems import Invalid

DEFAULT_BUDGET = 20  # per cent, where no route names another


@within(Right.REVIEW)
def overview(request: HttpRequest, place: Place) -> HttpResponse:
    """The overview; htmx asks for the forecast alone when the slider moves."""
    project = place.project
    facts = facts_of(project)
    route = Route.objects.live().filter(project=project).select_related("aspect", "judge").first()
    aspect = route.aspect if route else main_aspect(project)
    forecast = forecast_of(aspect)
    context = {"facts": facts, "route": route, "aspect": aspect, **forecast_context(request, route, forecast)}
    if not request.headers.get("HX-Request"):
        context |= panels(place, aspect, route, facts)
    return page(
        request,
        place,
        "dashboard/overview.html",
        context,
        tab="overview",
        fragment="dashboard/_forecast.html",
    )


def panels(place: Place, aspect: Aspect | None, route: Route | None, facts: Facts) -> dict[str, Any]:
    """All but the forecast."""
    project = place.project
    figures = beside(aspect) if aspect and has_labels(project) else None
    judge = standing(figures, route)
    weak = judge.name if judge and judge.below_baseline else ""
    steps = next_steps(project, facts, weak=weak, disputed=undecided(project), leaning=leaning(figures))
    return {
        "beside": figures,
        "judge": judge,
        "reasons": reasons_of(route) if route else [],
        "steps": [step for step in steps if allowed_step(place, step.view)],
    }


def allowed_step(place: Place, view: str) -> bool:
    """Reviewers see what they may act on."""
    needed = {"instances": Right.REVIEW, "quality": Right.REVIEW, "exports": Right.EXPORT}
    return allowed(place.user, place.role, needed.get(view, Right.MANAGE))


def standing(figures: Beside | None, route: Route | None) -> Judge | None:
    """The judge whose label stands: the route's, else the best."""
    if figures is None:
        return None
    named = figures.judge(route.judge.name) if route and route.judge else None
    return named or figures.best


def leaning(figures: Beside | None) -> int:
    """How many people prefer what is shown first beyond chance: the lower end of the interval is above 0.6."""
    if figures is None:
        return 0
    return sum(1 for skill in figures.skills if skill.first.low is not None and skill.first.low > 0.6)


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
        "price": forecast.prices[-1] * percent / 100,
        "curve": draw_curve(forecast.points, mark=mark),
        "first": forecast.points[0],
        "last": forecast.points[-1],
    }


def chosen_percent(request: HttpRequest, default: int) -> int:
    text = request.GET.get("budget", "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text[:4]) > 100:
        raise Invalid(f"The budget must be 0…100 per cent, not {text!r:.40}.", budget=text[:40])
    return int(text)


def currency(project: Project) -> str:
    """The project's currency sign, as its settings name it."""
    return str(project.settings.get("currency", "$"))[:4]
