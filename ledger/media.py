"""A project's pictures, sound and film: put there by who manages it, seen by its members alone.

A text refers to one as Markdown does to a picture: `![what it shows](/media/<project>/<name>)`.
"""

from pathlib import Path

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.api import api
from accounts.models import User
from accounts.rights import Right, signed_in
from ledger.access import enter
from ledger.models import Project
from web.bodies import body_stream
from web.json import json_response
from web.media import keep, send


def folder(project: Project) -> Path:
    return Path(settings.MEDIA_ROOT) / str(project.pk)


@require_GET
def show(request: HttpRequest, slug: str, name: str) -> HttpResponseBase:
    """A file of the project's."""
    place = enter(signed_in(request.user), slug, Right.SEE)
    return send(request, folder(place.project) / name)


@api("POST")
def put(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """Keeps the body, a media file, and answers with the address to write into texts."""
    place = enter(user, slug, Right.MANAGE)
    kept = keep(body_stream(request), folder(place.project))
    url = reverse("media", args=[slug, kept.name])
    return json_response({"url": url, "type": kept.content_type, "bytes": kept.size}, status=201)
