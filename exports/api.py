"""Exports over HTTP: a dataset in a format, streamed from the database to the socket."""

from hashlib import sha256

from django.http import HttpRequest, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from accounts.api import api
from accounts.models import User
from accounts.rights import Right
from exports.actions import stream_export
from exports.choices import parse_choices
from exports.containers import CONTAINERS
from exports.datasets import find_snapshot, open_live, open_snapshot
from exports.formats import FORMATS
from exports.models import Snapshot
from ledger.access import enter
from ledger.models import Project

OWN_PARAMETERS = ("version", "container")


@api("GET")
def export(request: HttpRequest, user: User, slug: str, format: str) -> HttpResponseBase:
    """A dataset: `version` names a snapshot (default: live, settled first), `container` a file type; the
    other parameters are the choices. Errors come before the first byte."""
    project = enter(user, slug, Right.EXPORT).project
    return download(request, project, format=format)


def download(request: HttpRequest, project: Project, *, format: str) -> HttpResponseBase:
    """The streaming answer; 304 where the caller holds the version already."""
    entry, box = FORMATS.load(format), CONTAINERS.load(request.GET.get("container", "jsonl"))
    given = {name: value for name, value in request.GET.items() if name not in OWN_PARAMETERS}
    snapshot = find_snapshot(project, request.GET["version"]) if "version" in request.GET else None
    tag = etag(snapshot, format, box.name, given) if snapshot else None
    if tag and tag in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponseNotModified(headers={"ETag": tag})
    live = snapshot is None
    dataset = open_live(project, parse_choices(given)) if live else open_snapshot(snapshot, given)
    response = StreamingHttpResponse(
        stream_export(dataset, format=entry.name, container=box.name), content_type=box.content_type
    )
    name = "-".join([project.slug, *([snapshot.version] if snapshot else []), format])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}{box.suffix}"'
    response.headers["X-Accel-Buffering"] = "no"
    if tag:
        response.headers["ETag"] = tag
    return response


def etag(snapshot: Snapshot, format: str, container: str, given: dict[str, str]) -> str:
    """Names the bytes of a snapshot's file: they follow from these alone."""
    facts = repr((snapshot.hash, format, container, sorted(given.items())))
    return f'"{sha256(facts.encode()).hexdigest()[:32]}"'
