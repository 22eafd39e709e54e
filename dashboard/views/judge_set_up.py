"""A project's own judges and the endpoints that they call: added, changed, taken away."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.doors import address, page, within
from dashboard.judge_forms import EndpointForm, JudgeForm, initial_of
from dashboard.views.judges import all_judges
from judges.catalog import from_json
from judges.models import Endpoint, Judge
from judges.offering import choices_of, offer_of, offers
from judges.specs import (
    add_judge,
    change_judge,
    check_open_weights,
    drop_endpoint,
    drop_judge,
    judges_calling,
    set_endpoint,
)
from ledger.access import Place, require_open
from ledger.models import Project
from web.problems import Conflict, NotFound, Problem


def form_for(place: Place, method: str, data: Any, **more: Any) -> JudgeForm:
    """The form of a method. Raises `UnknownName`."""
    return JudgeForm(
        data,
        offer=offer_of(method),
        endpoints=list(place.project.endpoints.order_by("name").values_list("name", flat=True)),
        judges=all_judges(place.project),
        **more,
    )


@within(Right.MANAGE)
def new_judge(request: HttpRequest, place: Place) -> HttpResponse:
    """First the method, then its form; a judge that could not run is refused with the reason."""
    require_open(place.project)
    method = request.POST.get("method") or request.GET.get("method", "")
    if not method:
        return page(request, place, "dashboard/judge_method.html", {"offers": offers()}, tab="judges")
    form = form_for(place, method, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            spec = form.spec()
            check_open_weights(spec)
            made = add_judge(project=place.project, spec=spec, author=place.user)
        except Problem as problem:
            form.add_error(None, problem.detail)
        else:
            messages.success(request, _("%s stands. Try it before you run it.") % made.name)
            return redirect(address(place, "judge", name=made.name))
    return judge_page(request, place, form)


def judge_page(request: HttpRequest, place: Place, form: JudgeForm, own: Judge | None = None) -> HttpResponse:
    context = {"form": form, "offer": form.offer, "own": own}
    status = 422 if form.is_bound and form.errors else 200
    return page(request, place, "dashboard/judge_form.html", context, tab="judges", status=status)


def own_judge(project: Project, name: str) -> Judge:
    found = Judge.objects.filter(project=project, name=name).first()
    if found is None:
        raise NotFound(f"{project.slug} has no judge of its own named {name!r}.")
    return found


@within(Right.MANAGE)
def change(request: HttpRequest, place: Place, *, name: str) -> HttpResponse:
    """The judge's form again; what ran before keeps its version."""
    require_open(place.project)
    own = own_judge(place.project, name)
    chosen = choices_of(from_json(own.spec))
    if chosen is None:
        raise Conflict(f"{name} asks task types by different methods: change it by `add_judge`.")
    form = form_for(place, chosen.method, request.POST or None, initial=initial_of(chosen), fixed_name=name)
    if request.method == "POST" and form.is_valid():
        try:
            spec = form.spec()
            check_open_weights(spec)
            change_judge(own, spec)
        except Problem as problem:
            form.add_error(None, problem.detail)
        else:
            messages.success(request, _("%s is changed; its next run is another version.") % name)
            return redirect(address(place, "judge", name=name))
    return judge_page(request, place, form, own)


@require_POST
@within(Right.MANAGE)
def drop(request: HttpRequest, place: Place, *, name: str) -> HttpResponse:
    """Takes an own judge away; its labels, runs and audits stay."""
    drop_judge(own_judge(place.project, name))
    messages.success(request, _("%s is taken away; its labels stay.") % name)
    return redirect(address(place, "judges"))


# ---------------------------------------------------------------- endpoints


@dataclass
class Line:
    """An endpoint of the list; never its key."""

    endpoint: Endpoint
    keyed: bool
    judges: Sequence[str]


@within(Right.MANAGE)
def endpoints(request: HttpRequest, place: Place) -> HttpResponse:
    """The project's model servers, and the form of a further one."""
    form = EndpointForm(request.POST or None)
    if (
        request.method == "POST"
        and form.is_valid()
        and saved(request, place, form, form.cleaned_data["name"])
    ):
        return redirect(address(place, "endpoints"))
    found = place.project.endpoints.order_by("name")
    lines = [Line(each, bool(each.key), judges_calling(each)) for each in found]
    status = 422 if form.is_bound else 200
    context = {"form": form, "lines": lines}
    return page(request, place, "dashboard/endpoints.html", context, tab="judges", status=status)


@within(Right.MANAGE)
def endpoint(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """One server's address, bounds and prices; a new key replaces the kept one."""
    found = endpoint_of(place.project, pk)
    form = EndpointForm(request.POST or None, endpoint=found)
    if request.method == "POST" and form.is_valid() and saved(request, place, form, found.name, known=True):
        return redirect(address(place, "endpoints"))
    context = {"form": form, "endpoint": found, "judges": judges_calling(found)}
    status = 422 if form.is_bound else 200
    return page(request, place, "dashboard/endpoint.html", context, tab="judges", status=status)


def endpoint_of(project: Project, pk: int) -> Endpoint:
    found = project.endpoints.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"{project.slug} has no endpoint {pk}.")
    return found


def saved(request: HttpRequest, place: Place, form: EndpointForm, name: str, *, known: bool = False) -> bool:
    """Whether the endpoint was written; else the form says why not."""
    require_open(place.project)
    if not known and place.project.endpoints.filter(name=name).exists():
        form.add_error("name", _("There is an endpoint of this name already."))
        return False
    try:
        set_endpoint(project=place.project, name=name, **form.settings())
    except Problem as problem:
        form.add_error("url", problem.detail)
        return False
    messages.success(request, _("Saved."))
    return True


@require_POST
@within(Right.MANAGE)
def endpoint_drop(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """Forgets a server and its key, unless a judge still calls it."""
    found = endpoint_of(place.project, pk)
    try:
        drop_endpoint(found)
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("%s and its key are forgotten.") % found.name)
    return redirect(address(place, "endpoints"))
