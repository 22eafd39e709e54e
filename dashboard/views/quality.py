"""How far the labels can be trusted: agreement with its coefficients, bias, people's skill."""

from django.http import HttpRequest, HttpResponse

from accounts.rights import Right
from dashboard.beside import beside, has_labels, main_aspect
from dashboard.doors import page, within
from ledger.access import Place


@within(Right.REVIEW)
def quality(request: HttpRequest, place: Place) -> HttpResponse:
    """One aspect's figures, each with its interval and its n."""
    aspect = main_aspect(place.project, request.GET.get("aspect", ""))
    labelled = has_labels(place.project)
    context = {
        "aspect": aspect,
        "aspects": list(place.project.aspects.all()),
        "beside": beside(aspect) if aspect and labelled else None,
    }
    return page(request, place, "dashboard/quality.html", context, tab="quality")
