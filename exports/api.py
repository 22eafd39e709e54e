"""Exports over HTTP: a dataset in a format, streamed from the database to the socket."""

from typing import Any

from django.http import HttpRequest, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from accounts.api import api
from accounts.models import User
from accounts.rights import Right
from exports.actions import stream_export
from exports.choices import parse_choices
from exports.containers import CONTAINERS, FOLDER
from exports.datasets import find_snapshot, open_live, open_snapshot
from exports.formats import FORMATS
from exports.models import PreparedFile, Snapshot
from exports.prepared import prepare_file, progress_of, tag_of
from exports.problems import ContainerUnsuited, NotReady
from exports.ranges import ranged
from exports.tasks import write_prepared_file
from ledger.access import enter
from ledger.models import Project
from web.json import json_response
from web.problems import NotFound

OWN_PARAMETERS = ("version", "container")


@api("GET")
def export(request: HttpRequest, user: User, slug: str, format: str) -> HttpResponseBase:
    """A dataset: `version` names a snapshot (default: live, settled first), `container` a file type; the
    other parameters are the choices. Errors come before the first byte."""
    project = enter(user, slug, Right.EXPORT).project
    return download(request, project, format=format)


def download(request: HttpRequest, project: Project, *, format: str) -> HttpResponseBase:
    """The streaming answer; 304 where the caller holds the version already."""
    container = request.GET.get("container", "jsonl")
    if container == FOLDER:
        raise ContainerUnsuited("A dataset folder is no stream: have a snapshot's prepared, as one zip.")
    entry, box = FORMATS.load(format), CONTAINERS.load(container)
    given = given_in(request)
    snapshot = find_snapshot(project, request.GET["version"]) if "version" in request.GET else None
    tag = f'"{tag_of(snapshot, format, box.name, given)}"' if snapshot else None
    if tag and tag in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponseNotModified(headers={"ETag": tag})
    dataset = open_snapshot(snapshot, given) if snapshot else open_live(project, parse_choices(given))
    response = StreamingHttpResponse(
        stream_export(dataset, format=entry.name, container=box.name), content_type=box.content_type
    )
    name = "-".join([project.slug, *([snapshot.version] if snapshot else []), format])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}{box.suffix}"'
    response.headers["X-Accel-Buffering"] = "no"
    if tag:
        response.headers["ETag"] = tag
    return response


@api("POST")
def prepare(request: HttpRequest, user: User, slug: str, format: str) -> HttpResponseBase:
    """Asks for a snapshot's file to be written by a worker; 202 with where to look. Parameters as in `export`."""
    project = enter(user, slug, Right.EXPORT).project
    snapshot = find_snapshot(project, request.GET.get("version", ""))
    container = request.GET.get("container", "jsonl")
    file = ask_for(snapshot, format=format, container=container, given=given_in(request), author=user)
    return json_response(progress_of(file), status=202)


def ask_for(snapshot: Snapshot, **wanted: Any) -> PreparedFile:
    """The prepared file, with a worker called where it has to be written."""
    file = prepare_file(snapshot, **wanted)
    if file.status == PreparedFile.Status.WAITING:
        write_prepared_file.delay_on_commit(file.pk)
    return file


@api("GET")
def prepared(request: HttpRequest, user: User, slug: str, pk: int) -> HttpResponseBase:
    """How far a prepared file is."""
    return json_response(progress_of(find_prepared(user, slug, pk)))


@api("GET")
def prepared_download(request: HttpRequest, user: User, slug: str, pk: int) -> HttpResponseBase:
    """The prepared file, whole or the range that is asked for. 409 while it is not ready."""
    return serve(request, find_prepared(user, slug, pk))


def serve(request: HttpRequest, file: PreparedFile) -> HttpResponseBase:
    """The file's bytes or a range of them. Raises `NotReady`."""
    if file.status != PreparedFile.Status.DONE or not file.path.exists():
        raise NotReady(f"The file is {file.get_status_display().lower()}.", status_now=file.status)
    suffix, content_type = (".zip", "application/zip")
    if file.container != FOLDER:
        box = CONTAINERS.load(file.container)
        suffix, content_type = box.suffix, box.content_type
    name = f"{file.snapshot.project.slug}-{file.snapshot.version}-{file.format}{suffix}"
    return ranged(request, file.path, tag=file.tag, content_type=content_type, name=name)


def find_prepared(user: User, slug: str, pk: int) -> PreparedFile:
    return prepared_in(enter(user, slug, Right.EXPORT).project, pk)


def prepared_in(project: Project, pk: int) -> PreparedFile:
    """Raises `NotFound`."""
    files = PreparedFile.objects.select_related("snapshot__project", "author")
    file = files.filter(pk=pk, snapshot__project=project).first()
    if file is None:
        raise NotFound(f"There is no prepared file {pk} in {project.slug}.", file=pk)
    return file


def given_in(request: HttpRequest) -> dict[str, str]:
    return {name: str(value) for name, value in request.GET.items() if name not in OWN_PARAMETERS}
