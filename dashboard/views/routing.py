"""Routing: a policy under a budget, looked at before it is done, done, and taken back."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.doors import address, page, within
from dashboard.figures import below_baseline, has_labels, judges_beside_people, main_aspect
from dashboard.forecasts import forecast_of
from dashboard.forms import RouteForm
from dashboard.routes import calibration_of, last_prices, people_to_ask, pilot_advice, shown_reasons
from ledger.access import Place, require_open
from ledger.models import Instance, Project
from routing.actions import new_seed, route, share_work, take_back
from routing.loading import judges_of
from routing.models import Route
from routing.planning import Plan, Request, plan
from routing.policies import POLICIES
from web.problems import Problem

PAST = 20
EXAMPLES = 5
PREFERRED = ("defer", "uncertainty")  # the policy that the form suggests: the first of these that is there


@dataclass(frozen=True)
class Example:
    ref: str
    beginning: str
    gain: float
    reason: str


@within(Right.MANAGE)
def routing(request: HttpRequest, place: Place) -> HttpResponse:
    """The live route and the form; with `preview`, what the form's route would do."""
    form = form_for(place.project, request.GET, bound="preview" in request.GET)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        try:
            planned = plan(place.project, wanted(form, seed=form.cleaned_data["seed"] or new_seed()))
        except Problem as problem:
            form.add_error(None, problem.detail)
        else:
            context |= preview(planned)
    live = (
        Route.objects.live().filter(project=place.project).select_related("aspect", "judge", "author").first()
    )
    past = Route.objects.filter(project=place.project, replaced__isnull=False).select_related(
        "judge", "author"
    )
    aspect = main_aspect(place.project, live.aspect.name if live else str(request.GET.get("aspect", "")))
    forecast = forecast_of(aspect, live)
    context |= {
        "live": live,
        "reasons": shown_reasons(live) if live else [],
        "prices": last_prices(live) if live else [],
        "advice": pilot_advice(place.project, aspect),
        "choices": people_to_ask(aspect),
        "forecast": forecast,
        "calibration": calibration_of(forecast),
        "past": past.order_by("-created")[:PAST],
        "policies": descriptions(),
        "weak": weak_judges(place.project, request.GET.get("aspect", "")),
    }
    return page(
        request, place, "dashboard/routing.html", context, tab="routing", status=422 if form.errors else 200
    )


def descriptions() -> list[tuple[str, str]]:
    """Every policy that can route, with the first line of what it says of itself."""
    found = ((name, POLICIES.load(name)) for name in POLICIES)
    return [
        (name, (each.__doc__ or "").strip().split("\n")[0]) for name, each in found if not each.replay_only
    ]


def form_for(project: Project, asked: QueryDict, *, bound: bool) -> RouteForm:
    """The form with what this project knows; unbound, it suggests what was asked for."""
    aspects = list(project.aspects.all())
    aspect = main_aspect(project, str(asked.get("aspect", "")))
    live = Route.objects.live().filter(project=project, aspect=aspect).select_related("judge").first()
    policies = [name for name, _text in descriptions()]
    budget = str(asked.get("budget", ""))
    initial = {
        "policy": next((name for name in PREFERRED if name in policies), policies[0]),
        "aspect": aspect.name if aspect else "",
        "judge": live.judge.name if live and live.judge else "",
        "budget": int(budget) if budget.isascii() and budget.isdigit() else 20,
        "confidence": 0.95,
        "audit": 5,
    }
    judges = [judge.name for judge in judges_of(aspect)] if aspect else []
    return RouteForm(
        asked if bound else None,
        initial=initial,
        policies=policies,
        judges=judges,
        aspects=[each.name for each in aspects],
    )


def wanted(form: RouteForm, *, seed: int) -> Request:
    """What the form asks routing for."""
    given = form.cleaned_data
    by_target = given["aim"] == "target"
    return Request(
        policy=given["policy"],
        seed=seed,
        budget=None if by_target else given["budget"] / 100,
        target=given["target"] if by_target else None,
        confidence=given["confidence"] or 0.95,
        judge=given["judge"] or None,
        aspect=given["aspect"] or None,
        audit=(given["audit"] or 0) / 100,
    )


def preview(planned: Plan) -> dict[str, Any]:
    """What the page shows of a plan: counts, cost, and the instances with the largest gains."""
    return {
        "planned": planned,
        "report": planned.report(),
        "cost": planned.cost,
        "examples": examples(planned),
    }


def examples(planned: Plan) -> list[Example]:
    """The first instances that people would be asked about."""
    pks = planned.to_ask[:EXAMPLES]
    found = Instance.objects.in_bulk(pks)
    places = {pk: place for place, pk in enumerate(planned.loaded.table.instances)}
    return [
        Example(
            ref=found[pk].ref,
            beginning=str(found[pk].messages[-1]["content"])[:160],
            gain=float(planned.gain[places[pk]]),
            reason=planned.reasons[places[pk]].text,
        )
        for pk in pks
    ]


def weak_judges(project: Project, asked: str) -> list[str]:
    """Names of the judges below the baseline on the aspect in question, any of which could be let stand."""
    aspect = main_aspect(project, asked)
    if aspect is None or not has_labels(project):
        return []
    return [row.name for row in judges_beside_people(aspect).judges if below_baseline(row)]


@require_POST
@within(Right.MANAGE)
def start(request: HttpRequest, place: Place) -> HttpResponse:
    """Routes as the form says, with the preview's seed, so that what was looked at is what is done."""
    require_open(place.project)
    form = form_for(place.project, request.POST, bound=True)
    if not form.is_valid():
        context = {"form": form, "policies": descriptions()}
        return page(request, place, "dashboard/routing.html", context, tab="routing", status=422)
    try:
        _made, planned = route(
            place.project, wanted(form, seed=form.cleaned_data["seed"] or new_seed()), author=place.user
        )
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        report = planned.report()
        said = _(
            "%(human)s instances go to people, %(enqueued)s of them still to be labelled; the judge settles %(ai)s."
        )
        messages.success(request, said % {key: f"{report[key]:,}" for key in ("human", "enqueued", "ai")})
    return redirect(address(place, "routing"))


@require_POST
@within(Right.MANAGE)
def share(request: HttpRequest, place: Place) -> HttpResponse:
    """Shares the open work out by skill and pay."""
    require_open(place.project)
    try:
        given = share_work(place.project)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect(address(place, "routing"))
    if given:
        said = ", ".join(f"{name}: {total:,}" for name, total in given.items())
        messages.success(request, _("Quotas in all are set: %s.") % said)
    else:
        messages.success(request, _("Nobody who may label here has labelled yet: there is nothing to go by."))
    return redirect(address(place, "routing"))


@require_POST
@within(Right.MANAGE)
def back(request: HttpRequest, place: Place) -> HttpResponse:
    """Takes the live route back; labels stay."""
    taken = take_back(place.project)
    said = (
        _("The route is taken back; every instance is open to people again.")
        if taken
        else _("There is no route.")
    )
    messages.success(request, said)
    return redirect(address(place, "routing"))
