"""The ledger over HTTP: projects, import, labels."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from accounts.api import api
from accounts.models import User
from accounts.rights import Right
from ledger.access import enter
from ledger.feedback import ANONYMOUS, record_feedback
from ledger.imports import AUTO
from ledger.imports.load import import_stream
from ledger.models import Label, Project
from ledger.questions import aspect_document
from web.bodies import body_stream
from web.json import json_response, read_json
from web.paging import cursor, flag
from web.problems import Invalid, TooLarge


def project_document(project: Project) -> dict[str, Any]:
    return {
        "slug": project.slug,
        "name": project.name,
        "template": project.template,
        "overlap": project.overlap,
        "created": project.created,
        "archived": project.archived,
    }


@api("GET")
def projects(request: HttpRequest, user: User) -> HttpResponseBase:
    """The projects that the caller can see."""
    found = Project.objects.visible_to(user).order_by("slug")
    return json_response({"projects": [project_document(project) for project in found]})


@api("GET")
def project(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """One project, with its aspects and current guidelines."""
    found = enter(user, slug, Right.SEE).project
    guidelines = found.guidelines()
    return json_response(
        project_document(found)
        | {
            "aspects": [aspect_document(aspect) for aspect in found.aspects.all()],
            "guidelines": guidelines and {"version": guidelines.number, "text": guidelines.text},
        }
    )


@api("POST")
def instances(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """Imports the body's JSON Lines, plain or gzip; answers as `import_instances` does."""
    place = enter(user, slug, Right.MANAGE)
    if int(request.headers.get("Content-Length") or 0) > settings.UPLOAD_LIMIT_BYTES:
        raise TooLarge(f"At most {settings.UPLOAD_LIMIT_BYTES:,} bytes are taken in one request.")
    report = import_stream(
        place.project,
        body_stream(request),
        schema=request.GET.get("schema", AUTO),
        dry_run=flag(request, "dry_run"),
    )
    return json_response(report.as_dict())


@api("GET")
def labels(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """A page of the ledger, oldest first; `next` is the following page's address, or null."""
    place = enter(user, slug, Right.REVIEW)
    after, limit = cursor(request)
    rows = (
        Label.objects.filter(project=place.project, pk__gt=after)
        .order_by("pk")
        .values_list(
            "pk",
            "instance__ref",
            "aspect__name",
            "rater__name",
            "rater__kind",
            "value",
            "order",
            "created",
            "superseded",
        )[: limit + 1]
    )
    names = ("id", "instance", "aspect", "rater", "kind", "value", "order", "created", "superseded")
    page = [dict(zip(names, row, strict=True)) for row in rows]
    more = len(page) > limit
    following = None
    if more:
        path = reverse("api:labels", args=[slug])
        following = request.build_absolute_uri(f"{path}?after={page[limit - 1]['id']}&limit={limit}")
    return json_response({"next": following, "labels": page[:limit]})


@api("POST")
def feedback(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """One signal from use: `{"instance", "signal", "response", "value", "user"?}`; a list of them under `signals`."""
    place = enter(user, slug, Right.MANAGE)
    body = read_json(request)
    signals = body.get("signals", [body])
    if (
        not isinstance(signals, list)
        or not all(isinstance(signal, dict) for signal in signals)
        or not signals
    ):
        raise Invalid("signals must be a list of objects.")
    with transaction.atomic():
        ids = [record_feedback(place.project, **feedback_fields(signal)) for signal in signals]
    return json_response({"labels": ids}, status=201)


def feedback_fields(signal: dict[str, Any]) -> dict[str, Any]:
    """The action's arguments. Raises `Invalid` naming what is missing."""
    missing = [name for name in ("instance", "signal", "response", "value") if signal.get(name) is None]
    if missing:
        raise Invalid(f"A signal needs {', '.join(missing)}.", missing=missing)
    fields = {name: signal[name] for name in ("signal", "response", "value")}
    return {"ref": str(signal["instance"]), **fields, "user": signal.get("user") or ANONYMOUS}
