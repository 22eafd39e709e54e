"""How a page of a project is entered and framed: the right it asks for, its tabs, its address."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right, allowed, signed_in
from judges.models import JudgeRun
from ledger.access import Place, enter
from web.fragments import render_fragment


@dataclass(frozen=True)
class Tab:
    name: str
    title: str | Promise
    right: Right

    @property
    def view(self) -> str:
        return f"dashboard:{self.name}"


TABS = (
    Tab("overview", _("Overview"), Right.REVIEW),
    Tab("instances", _("Instances"), Right.REVIEW),
    Tab("judges", _("Judges"), Right.MANAGE),
    Tab("routing", _("Routing"), Right.MANAGE),
    Tab("quality", _("Quality"), Right.REVIEW),
    Tab("people", _("People"), Right.MANAGE),
    Tab("exports", _("Exports"), Right.EXPORT),
    Tab("settings", _("Settings"), Right.MANAGE),
)

View = Callable[..., HttpResponseBase]


def within(right: Right) -> Callable[[View], View]:
    """A view of `(request, place, …)` becomes one of `(request, slug, …)` that asks for `right` in the project.

    A stranger meets 404, a member without the right 403, someone not signed in the sign-in page.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def entered(request: HttpRequest, slug: str, **kwargs: Any) -> HttpResponseBase:
            return view(request, enter(signed_in(request.user), slug, right), **kwargs)

        return entered

    return decorate


def frame(place: Place, tab: str) -> dict[str, Any]:
    """What every page of a project shows around its content."""
    return {
        "project": place.project,
        "place": place,
        "tab": tab,
        "tabs": [each for each in TABS if allowed(place.user, place.role, each.right)],
        "may_manage": allowed(place.user, place.role, Right.MANAGE),
        "may_own": allowed(place.user, place.role, Right.OWN),
        "may_export": allowed(place.user, place.role, Right.EXPORT),
        "running": JudgeRun.objects.filter(project=place.project, status=JudgeRun.Status.RUNNING).count(),
    }


def page(
    request: HttpRequest,
    place: Place,
    template: str,
    context: dict[str, Any],
    *,
    tab: str,
    fragment: str = "",
    status: int = 200,
) -> HttpResponse:
    """A project's page, or its `fragment` where htmx asked for a part."""
    context = {**frame(place, tab), **context}
    if fragment:
        return render_fragment(request, template, context, fragment=fragment, status=status)
    return render(request, template, context, status=status)


def address(place: Place, page_name: str, /, **kwargs: Any) -> str:
    """The path of a page of this project."""
    return reverse(f"dashboard:{page_name}", kwargs={"slug": place.project.slug, **kwargs})
