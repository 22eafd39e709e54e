"""Exports: a format, its choices, ten rows to look at, the download; and snapshots."""

from dataclasses import Field, dataclass, fields
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.doors import address, page, within
from dashboard.forms import SnapshotForm
from exports.actions import create_snapshot
from exports.api import download as stream_download
from exports.choices import Choices, parse_choices
from exports.comparison import compare
from exports.containers import CONTAINERS
from exports.datasets import find_snapshot, open_live, open_snapshot, read
from exports.formats import FORMATS
from exports.models import Snapshot
from exports.reading import one_moment
from ledger.access import Place
from web.problems import Problem

ROWS = 10
USUAL = ("aspect", "labels", "prompt", "ties", "min_margin", "min_agreement", "order", "splits")


@dataclass(frozen=True)
class Control:
    """One choice as a control of the form."""

    name: str
    help: str
    values: tuple[str, ...]  # to choose from; empty: typed
    kind: str  # checkbox, number, text or select
    value: Any

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


def controls(given: QueryDict) -> list[Control]:
    """A control for every field of `Choices`, showing what was chosen."""
    return [control(spec, given.get(spec.name, spec.default)) for spec in fields(Choices)]


def control(spec: Field[Any], value: Any) -> Control:
    values = spec.metadata.get("values") or ()
    kinds = {bool: "checkbox", int: "number", float: "number"}
    kind = "select" if values else kinds.get(type(spec.default), "text")
    return Control(spec.name, spec.metadata["help"], values, kind, value)


def chosen(given: QueryDict) -> dict[str, str]:
    """The choices that the query names; those left empty keep their defaults."""
    names = {spec.name for spec in fields(Choices)}
    return {name: str(value) for name, value in given.items() if name in names and value != ""}


@within(Right.EXPORT)
def exports(request: HttpRequest, place: Place) -> HttpResponse:
    """The form; with `preview`, ten rows and what every choice drops. The snapshots."""
    everything = controls(request.GET)
    context: dict[str, Any] = {
        "formats": [FORMATS.load(name) for name in FORMATS],
        "containers": CONTAINERS.names(),
        "format": request.GET.get("format", "trl-preference"),
        "container": request.GET.get("container", "jsonl"),
        "version": request.GET.get("version", ""),
        "usual": [each for each in everything if each.name in USUAL],
        "further": [each for each in everything if each.name not in USUAL],
        "snapshots": Snapshot.objects.of(place.project)
        .select_related("author", "settlement")
        .newest_first()[:30],
        "snapshot_form": SnapshotForm(),
        "query": request.GET.urlencode(),
    }
    status = 200
    if "preview" in request.GET:
        try:
            context["preview"] = preview(place, request.GET)
        except Problem as problem:
            context["refused"], status = problem.detail, 422
    return page(request, place, "dashboard/exports.html", context, tab="exports", status=status)


def preview(place: Place, given: QueryDict) -> dict[str, Any]:
    """The first rows, how many there are in all, and how many each choice drops, by reason."""
    entry = FORMATS.load(given.get("format", ""))
    CONTAINERS.load(given.get("container", "jsonl"))
    if version := given.get("version"):
        dataset = open_snapshot(find_snapshot(place.project, version), chosen(given))
    else:
        dataset = open_live(place.project, parse_choices(chosen(given)))
    first: list[dict[str, Any]] = []
    count = 0
    with one_moment():
        rows, tally = read(dataset, entry)
        for row in rows:
            count += 1
            if count <= ROWS:
                first.append(row)
    columns = list(first[0]) if first else []
    return {
        "columns": columns,
        "rows": [[cell(row.get(column)) for column in columns] for row in first],
        "count": count,
        "tally": tally.as_dict(),
        "entry": entry,
    }


def cell(value: Any) -> str:
    """A value as a person can read it in a table: a chat as its last words."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "content" in value[0]:
        return " ⏎ ".join(f"{message.get('role')}: {message['content']}" for message in value)[:300]
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)[:300]


@within(Right.EXPORT)
def download(request: HttpRequest, place: Place) -> HttpResponseBase:
    """The file, streamed; what is refused is shown on the page."""
    query = request.GET.copy()
    name = query.pop("format", [""])[-1]
    query.pop("preview", None)
    for key in [key for key, value in query.items() if value == ""]:
        query.pop(key)
    request.GET = query  # type: ignore[assignment]
    return stream_download(request, place.project, format=name)


@within(Right.EXPORT)
def comparison(request: HttpRequest, place: Place) -> HttpResponse:
    """What came, went and changed between two snapshots, and why."""
    old, new = (find_snapshot(place.project, request.GET.get(side, "")) for side in ("old", "new"))
    with one_moment():
        found = compare(old, new)
    kinds = [(kind, found[kind]) for kind in ("added", "removed", "changed")]
    context = {"old": old, "new": new, "found": found, "kinds": kinds}
    return page(request, place, "dashboard/comparison.html", context, tab="exports")


@require_POST
@within(Right.EXPORT)
def snapshot(request: HttpRequest, place: Place) -> HttpResponse:
    """Freezes the dataset under a version, with the choices that the page shows."""
    form = SnapshotForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("A snapshot needs a version."))
        return redirect(address(place, "exports"))
    try:
        choices = parse_choices(chosen(QueryDict(request.POST.get("query", ""))))
        made = create_snapshot(
            place.project, version=form.cleaned_data["version"], choices=choices, author=place.user
        )
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(
            request,
            _("%(version)s is frozen: %(rows)s rows, hash %(hash)s…")
            % {"version": made.version, "rows": f"{made.rows:,}", "hash": made.hash[:12]},
        )
    return redirect(address(place, "exports"))
