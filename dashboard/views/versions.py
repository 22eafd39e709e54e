"""A frozen version of the dataset: its card and manifest, its files, and the way from a row back to its labels."""

from typing import Any

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.choices import back_with, chosen
from dashboard.doors import address, page, within
from dashboard.instances import Verdict
from dashboard.words import extras_in_words, in_words
from exports.actions import NATIVE, create_snapshot
from exports.api import ask_for, prepared_in, serve
from exports.cards import card, manifest
from exports.choices import parse_choices
from exports.datasets import find_snapshot, open_snapshot
from exports.facts import Facts
from exports.formats import FORMATS
from exports.models import PreparedFile, Snapshot
from exports.prepared import progress_of
from exports.problems import UnknownRow
from exports.traces import read_row, trace
from ledger.access import Place
from ledger.models import Aspect, Label
from web.content import render
from web.fragments import wants_fragment
from web.problems import Problem

SHOWN = 20  # prepared files in the list


@within(Right.EXPORT)
def version(request: HttpRequest, place: Place, name: str) -> HttpResponse:
    """The card of a snapshot, and what it froze."""
    snapshot = find_snapshot(place.project, name)
    facts = manifest_of(snapshot)
    told = card(facts, FORMATS.load(NATIVE), {}).partition("\n---\n")[2].partition("\n## ")
    context = {
        "snapshot": snapshot,
        "manifest": facts,
        "rendered": render(f"## {told[2]}").html,
        "formats": [FORMATS.load(each) for each in FORMATS],
    }
    return page(request, place, "dashboard/version.html", context, tab="exports")


def manifest_of(snapshot: Snapshot) -> Facts:
    """The snapshot's own manifest: of its rows as `trl-preference`, which its hash covers."""
    report = {name: snapshot.manifest[name] for name in ("read", "dropped", "masked")}
    return manifest(
        open_snapshot(snapshot, {}),
        FORMATS.load(NATIVE),
        {**report, "rows": snapshot.rows, "hash": snapshot.hash},
    )


@within(Right.EXPORT)
def manifest_file(request: HttpRequest, place: Place, name: str) -> HttpResponse:
    snapshot = find_snapshot(place.project, name)
    body = orjson.dumps(manifest_of(snapshot), option=orjson.OPT_INDENT_2) + b"\n"
    return attached(body, f"{place.project.slug}-{snapshot.version}-manifest.json", "application/json")


@within(Right.EXPORT)
def card_file(request: HttpRequest, place: Place, name: str) -> HttpResponse:
    snapshot = find_snapshot(place.project, name)
    body = card(manifest_of(snapshot), FORMATS.load(NATIVE), {}).encode()
    return attached(body, f"{place.project.slug}-{snapshot.version}-card.md", "text/markdown; charset=utf-8")


def attached(body: bytes, name: str, content_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(body, content_type=content_type, headers=headers)


# ---------------------------------------------------------------- prepared files


@require_POST
@within(Right.EXPORT)
def prepare(request: HttpRequest, place: Place) -> HttpResponse:
    """Has a worker write the file that the page describes; what is live is frozen under the present time first."""
    given = request.POST
    try:
        choices = chosen(given)
        if given.get("version"):
            snapshot = find_snapshot(place.project, given["version"])
        else:
            at = timezone.localtime()
            snapshot = create_snapshot(
                place.project,
                version=given.get("freeze") or f"{at:%Y%m%d-%H%M%S}",
                choices=parse_choices(choices),
                author=place.user,
                at=at,
            )
            choices = {}
        ask_for(
            snapshot,
            format=given.get("format", ""),
            container=given.get("container", ""),
            given=choices,
            author=place.user,
        )
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect(address(place, "exports") + back_with(given))
    messages.success(
        request,
        _("A worker writes %(version)s; you can leave this page.") % {"version": snapshot.version},
    )
    return redirect(address(place, "exports") + back_with(given, version=snapshot.version) + "#files")


@within(Right.EXPORT)
def files(request: HttpRequest, place: Place) -> HttpResponse:
    """How far the files are: the part of the page that looks again by itself."""
    if not wants_fragment(request):
        return redirect(address(place, "exports") + "#files")
    return page(
        request,
        place,
        "dashboard/_files.html",
        files_of(place),
        tab="exports",
        fragment="dashboard/_files.html",
    )


def files_of(place: Place) -> dict[str, Any]:
    """{"files": [(file, its progress)], "moving": whether one is not done}."""
    found = PreparedFile.objects.filter(snapshot__project=place.project)
    found = found.select_related("snapshot", "author").order_by("-created", "-pk")[:SHOWN]
    active = (PreparedFile.Status.WAITING, PreparedFile.Status.RUNNING)
    return {
        "files": [(file, progress_of(file)) for file in found],
        "moving": any(file.status in active for file in found),
    }


@within(Right.EXPORT)
def file(request: HttpRequest, place: Place, pk: int) -> HttpResponseBase:
    """The prepared file, whole or the range that is asked for."""
    return serve(request, prepared_in(place.project, pk))


# ---------------------------------------------------------------- traces


@within(Right.EXPORT)
def trace_row(request: HttpRequest, place: Place) -> HttpResponse:
    """From a row's id to the labels behind it, now or as a snapshot saw them."""
    row, name = request.GET.get("row", "").strip(), request.GET.get("version", "")
    context: dict[str, Any] = {
        "row": row,
        "version": name,
        "snapshots": Snapshot.objects.of(place.project).newest_first(),
    }
    status = 200
    if row:
        try:
            context |= traced(place, row, name)
        except Problem as problem:
            context["refused"], status = problem.detail, problem.status
    return page(request, place, "dashboard/trace.html", context, tab="exports", status=status)


def traced(place: Place, row: str, name: str) -> dict[str, Any]:
    """What `trace` finds, its labels in words. Raises `UnknownRow` for another project's row."""
    if read_row(row)["slug"] != place.project.slug:
        raise UnknownRow(f"{row!r} is a row of another project.", row=row)
    found = trace(row, version=name)
    aspect = Aspect.objects.get(project=place.project, name=found["aspect"])
    labels = Label.objects.filter(pk__in=[each["id"] for each in found["labels"]])
    verdicts = [
        Verdict(label, in_words(aspect, label.value), extras_in_words(label.value))
        for label in labels.select_related("rater", "guideline").order_by("pk")
    ]
    return {"found": found, "aspect": aspect, "verdicts": verdicts}
