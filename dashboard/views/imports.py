"""Bringing data in: upload, look at what it will become, import, read the report."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from annotate import screen
from dashboard.actions import bytes_read, receive_upload, start_upload
from dashboard.doors import address, page, within
from dashboard.forms import UploadForm
from dashboard.models import Upload
from dashboard.previews import preview_file
from ledger.access import Place, require_open
from ledger.imports.drafts import Draft, DraftResponse
from ledger.models import Instance, Response
from web.problems import Invalid, NotFound

INLINE_BYTES = 1_000_000  # a file up to here is imported while the person waits, some hundred milliseconds


@within(Right.MANAGE)
def imports(request: HttpRequest, place: Place) -> HttpResponse:
    """The upload form, and what was imported before."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            upload = receive_upload(place.project, form.cleaned_data["file"], author=place.user)
        except Invalid as problem:
            form.add_error("file", problem.detail)
        else:
            return redirect(address(place, "import_look", pk=upload.pk))
    uploads = Upload.objects.of(place.project).exclude(status=Upload.Status.UPLOADED).latest_first()[:20]
    context = {"form": form, "uploads": uploads}
    status = 422 if form.errors else 200
    return page(request, place, "dashboard/imports.html", context, tab="instances", status=status)


def mine(place: Place, pk: int) -> Upload:
    upload = Upload.objects.of(place.project).filter(pk=pk).first()
    if upload is None:
        raise NotFound(f"{place.project.slug} has no upload {pk}.")
    return upload


@within(Right.MANAGE)
def look(request: HttpRequest, place: Place, *, pk: int) -> HttpResponseBase:
    """How the columns map and how the first instances will look; for one that was started, its report."""
    upload = mine(place, pk)
    if upload.status != Upload.Status.UPLOADED:
        return report(request, place, upload)
    try:
        preview = preview_file(upload.file.path, name=upload.name)
    except Invalid as problem:
        context = {"upload": upload, "refused": problem.detail}
        return page(request, place, "dashboard/import_preview.html", context, tab="instances", status=422)
    drafts = [(draft, *drawn(draft)) for draft in preview.drafts]
    context = {"upload": upload, "preview": preview, "drafts": drafts}
    return page(request, place, "dashboard/import_preview.html", context, tab="instances")


def drawn(draft: Draft) -> tuple[screen.Prompt, list[screen.Pane]]:
    """A draft as the annotator will see it."""
    unsaved = Instance(prompt=draft.prompt, context=draft.context, metadata=draft.metadata)
    panes = [
        screen.pane(unsaved_response(index, each), place=index + 1)
        for index, each in enumerate(draft.responses)
    ]
    return screen.prompt(unsaved), panes


def unsaved_response(index: int, draft: DraftResponse) -> Response:
    return Response(index=index, key=draft.key, text=draft.text, messages=draft.messages)


def report(request: HttpRequest, place: Place, upload: Upload) -> HttpResponse:
    """How far the import is, or what came of it; htmx asks for the part that moves."""
    context = {"upload": upload, "read": bytes_read(upload) if upload.active else upload.size}
    return page(
        request,
        place,
        "dashboard/import_report.html",
        context,
        tab="instances",
        fragment="dashboard/_import_report.html",
    )


@require_POST
@within(Right.MANAGE)
def start(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """Imports a small file now, and has a worker import a large one."""
    require_open(place.project)
    upload = mine(place, pk)
    start_upload(upload, inline=upload.size <= INLINE_BYTES)
    return redirect(address(place, "import_look", pk=upload.pk))


@require_POST
@within(Right.MANAGE)
def discard(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """Drops an upload that was not imported."""
    upload = mine(place, pk)
    if upload.status == Upload.Status.UPLOADED:
        upload.file.delete(save=False)
        upload.delete()
        messages.info(request, _("%s was dropped; nothing was imported.") % upload.name)
    return redirect(address(place, "imports"))
