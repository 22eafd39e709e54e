"""One judge: a trial before it is run, and its audit: what it can be trusted with."""

from typing import Any

from celery import current_app
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard import audits
from dashboard.charts import draw_reliability
from dashboard.doors import address, page, within
from dashboard.figures import main_aspect
from dashboard.trials import WAITING, key_of
from dashboard.views.judges import all_judges
from judges.auditing import audit
from judges.catalog import JudgeSpec
from ledger.access import Place, require_open
from ledger.models import Aspect, Project, Rater
from web.fragments import wants_fragment
from web.problems import Problem
from web.registry import unknown

ASK_SECONDS = 600  # in which a trial that no worker took up is given up


def find(project: Project, name: str) -> JudgeSpec | None:
    """The judge's spec; None for one whose labels were imported. Raises `UnknownName`."""
    spec = next((each for each in all_judges(project) if each.name == name), None)
    raters = Rater.objects.judges().filter(project=project)
    if spec is None and not raters.filter(name=name).exists():
        raise unknown("judge", name, list(raters.values_list("name", flat=True)))
    return spec


@within(Right.MANAGE)
def judge(request: HttpRequest, place: Place, *, name: str) -> HttpResponse:
    """The judge's last audit and its trial; htmx asks for either alone while it waits for a worker."""
    project = place.project
    spec = find(project, name)
    part = request.GET.get("part", "trial")
    aspect = main_aspect(project, request.GET.get("aspect", ""))
    context: dict[str, Any] = {"name": name, "spec": spec, "aspect": aspect}
    if part == "trial" or not wants_fragment(request):
        context["trial"] = cache.get(key_of(project, name))
    if part == "audit" or not wants_fragment(request):
        context |= audited(project, name, aspect)
    if not wants_fragment(request):
        context["aspects"] = list(project.aspects.all())
        context["own"] = project.own_judges.filter(name=name).exists()
    fragment = "dashboard/_audit.html" if part == "audit" else "dashboard/_trial.html"
    return page(request, place, "dashboard/judge.html", context, tab="judges", fragment=fragment)


def audited(project: Project, name: str, aspect: Aspect | None) -> dict[str, Any]:
    """What the audit's part of the page shows: the newest figures, and the newest for which it was asked."""
    found = audits.newest(project, name, aspect)
    context: dict[str, Any] = {
        "audit": found,
        "asked": audits.asked_last(project, name, aspect),
        "auditing": audits.state(project, name),
    }
    if found and found.report.get("calibration"):
        context["reliability"] = draw_reliability(found.report["calibration"]["bins"])
    return context


@require_POST
@within(Right.MANAGE)
def audit_now(request: HttpRequest, place: Place, *, name: str) -> HttpResponse:
    """Audits by the labels that are there; with `ask` a judge worker also asks the judge again."""
    project, aspect = place.project, request.POST.get("aspect") or None
    spec = find(project, name)
    if "ask" in request.POST and spec is not None:
        require_open(project)
        if audits.begin(project, name):
            current_app.send_task(
                "dashboard.tasks.audit_judge", args=[project.pk, name, aspect], queue="judges"
            )
        return redirect(address(place, "judge", name=name))
    try:
        audit(project=project, judge=name, aspect=aspect)
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("%s is audited.") % name)
    return redirect(address(place, "judge", name=name))


@require_POST
@within(Right.MANAGE)
def try_now(request: HttpRequest, place: Place, *, name: str) -> HttpResponse:
    """Has a judge worker try the judge on a few instances; nothing is written to the ledger."""
    require_open(place.project)
    if find(place.project, name) is None:
        messages.error(request, _("%s was imported: it cannot be asked here.") % name)
    elif cache.add(key_of(place.project, name), WAITING, ASK_SECONDS) or not waiting(place.project, name):
        cache.set(key_of(place.project, name), WAITING, ASK_SECONDS)
        current_app.send_task("dashboard.tasks.try_judge", args=[place.project.pk, name], queue="judges")
    return redirect(address(place, "judge", name=name))


def waiting(project: Project, name: str) -> bool:
    return bool(cache.get(key_of(project, name)) == WAITING)
