"""Exports: a format, its choices, ten rows to look at, the download; and snapshots."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.choices import Control, back_with, chosen, controls, groups
from dashboard.doors import address, page, within
from dashboard.views.versions import files_of
from exports.actions import create_snapshot
from exports.api import download as stream_download
from exports.choices import parse_choices
from exports.comparison import compare
from exports.containers import CONTAINERS, FOLDER
from exports.datasets import find_snapshot, open_live, open_snapshot, read
from exports.formats import FORMATS
from exports.models import Snapshot
from exports.reading import one_moment
from exports.selection import unheeded
from ledger.access import Place
from quality.consensus import AGGREGATORS
from web.problems import Problem

ROWS = 10
FOLDER_LABEL = _l("Dataset folder, as one zip (prepared)")
TITLES = {
    "labels": _l("Whose labels"),
    "pairs": _l("Pairs and margins"),
    "texts": _l("Texts and slices"),
    "order": _l("Balance, order and splits"),
    "further": _l("Further choices"),
}
Look = Callable[[Place, QueryDict], dict[str, Any]]


@within(Right.EXPORT)
def exports(request: HttpRequest, place: Place) -> HttpResponse:
    """The form; with `preview`, ten rows and what every choice drops. The snapshots."""
    asked = "preview" in request.GET
    return form_page(request, place, preview if asked else None)


def form_page(
    request: HttpRequest, place: Place, look: Look | None = None, refused: str = ""
) -> HttpResponse:
    """The page of the form; with what `look` gives where it is there, and why something was refused."""
    context: dict[str, Any] = {
        "formats": [FORMATS.load(name) for name in FORMATS],
        "containers": [(name, CONTAINERS.load(name).label) for name in CONTAINERS] + [(FOLDER, FOLDER_LABEL)],
        "format": request.GET.get("format", "trl-preference"),
        "container": request.GET.get("container", "jsonl"),
        "version": request.GET.get("version", ""),
        "groups": [(group, TITLES[group.name]) for group in groups(shown_controls(place, request.GET))],
        "snapshots": Snapshot.objects.of(place.project)
        .select_related("author", "settlement")
        .newest_first()[:30],
        "refused": refused,
        **files_of(place),
    }
    if look is not None:
        try:
            context["preview"] = look(place, request.GET)
        except Problem as problem:
            context["refused"] = problem.detail
    status = 422 if context["refused"] else 200
    return page(request, place, "dashboard/exports.html", context, tab="exports", status=status)


def shown_controls(place: Place, given: QueryDict) -> list[Control]:
    """The controls as they stand: what was chosen, over what the named version was frozen with."""
    frozen = Snapshot.objects.of(place.project).filter(version=given.get("version", "")).first()
    offered = {
        "aspect": ("", *place.project.aspects.values_list("name", flat=True)),
        "consensus": ("", *AGGREGATORS),
    }
    return controls({**(frozen.choices if frozen else {}), **chosen(given)}, offered)


def preview(place: Place, given: QueryDict) -> dict[str, Any]:
    """The first rows, how many there are in all, and how many each choice drops, by reason."""
    entry = FORMATS.load(given.get("format", ""))
    if (container := given.get("container", "jsonl")) != FOLDER:
        CONTAINERS.load(container)
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
        "rows": [[(column, cell(row.get(column))) for column in columns] for row in first],
        "count": count,
        "tally": tally.as_dict(),
        "entry": entry,
        "unheeded": unheeded(dataset.choices, entry),
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
    asked, name = request.GET, request.GET.get("format", "")
    query = QueryDict(mutable=True)
    query.update({key: asked[key] for key in ("version", "container") if asked.get(key)} | chosen(asked))
    request.GET = query  # type: ignore[assignment]
    try:
        return stream_download(request, place.project, format=name)
    except Problem as problem:
        request.GET = asked
        return form_page(request, place, refused=problem.detail)


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
    try:
        made = create_snapshot(
            place.project,
            version=request.POST.get("freeze", ""),
            choices=parse_choices(chosen(request.POST)),
            author=place.user,
        )
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect(address(place, "exports") + back_with(request.POST))
    messages.success(
        request,
        _("%(version)s is frozen: %(rows)s rows, hash %(hash)s…")
        % {"version": made.version, "rows": f"{made.rows:,}", "hash": made.hash[:12]},
    )
    return redirect(address(place, "exports") + back_with(request.POST, version=made.version))
