"""How far the labels can be trusted: agreement with its coefficients, bias, people's skill."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.rights import Right
from dashboard.doors import page, within
from dashboard.figures import (
    chosen_by,
    has_labels,
    judges_beside_people,
    main_aspect,
    models_by_people,
    people_one_by_one,
)
from ledger.access import Place
from quality.panels import people_among_themselves


@within(Right.REVIEW)
def quality(request: HttpRequest, place: Place) -> HttpResponse:
    """One aspect's judges and people, and how people agree on every aspect."""
    aspect = main_aspect(place.project, request.GET.get("aspect", ""))
    context: dict[str, Any] = {"aspect": aspect, "aspects": list(place.project.aspects.all())}
    if aspect and has_labels(place.project):
        context |= {
            "panel": judges_beside_people(aspect),
            "among": people_among_themselves(place.project),
            "people": people_one_by_one(aspect),
            "models": models_by_people(aspect),
            "chosen_by": chosen_by(place.project),
        }
    return page(request, place, "dashboard/quality.html", context, tab="quality")
