"""A project's settings: its words, its aspects, its guidelines, and putting it away."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.actions import describe_aspect, describe_project, rescale_aspect, set_prices
from dashboard.doors import address, page, within
from dashboard.forms import GuidelinesForm, NewAspectForm, ProjectForm, ScaleForm, WordingForm
from ledger.access import Place
from ledger.actions import add_aspect, archive_project, change_overlap, write_guidelines
from ledger.models import Aspect, Label
from ledger.task_types import TASK_TYPES
from ledger.templates import AspectSpec
from routing.pay import HOURLY_PAY
from web.content import render
from web.problems import NotFound

SHOWN_VERSIONS = 30


@within(Right.MANAGE)
def settings(request: HttpRequest, place: Place) -> HttpResponse:
    """Name, description and overlap; beside them the aspects and the guidelines."""
    project = place.project
    initial = {
        "name": project.name,
        "description": project.description,
        "overlap": project.overlap,
        "hourly_pay": project.settings.get("hourly_pay", HOURLY_PAY),
        "currency": project.settings.get("currency", "$"),
    }
    form = ProjectForm(request.POST or None, initial=initial)
    if form.is_valid():
        wanted = form.cleaned_data
        describe_project(project, name=wanted["name"], description=wanted["description"])
        set_prices(project, hourly_pay=wanted["hourly_pay"], currency=wanted["currency"])
        if wanted["overlap"] != project.overlap:
            change_overlap(project, wanted["overlap"])
        messages.success(request, _("Saved."))
        return redirect(address(place, "settings"))
    versions = project.guideline_versions.select_related("author").order_by("-number")[:SHOWN_VERSIONS]
    context = {
        "form": form,
        "aspects": with_labels(place),
        "versions": versions,
        "guidelines": versions[0] if versions else None,
        "rendered": render(versions[0].text).html if versions else "",
    }
    return page(request, place, "dashboard/settings.html", context, tab="settings")


def with_labels(place: Place) -> list[Aspect]:
    """The project's aspects, each with whether it is labelled and with its task type's title."""
    labelled = set(
        Label.objects.filter(project=place.project).order_by().values_list("aspect", flat=True).distinct()
    )
    aspects = list(place.project.aspects.all())
    for aspect in aspects:
        aspect.labelled = aspect.pk in labelled  # type: ignore[attr-defined]
        aspect.task_title = TASK_TYPES.load(aspect.task_type).title  # type: ignore[attr-defined]
    return aspects


@within(Right.MANAGE)
def new_aspect(request: HttpRequest, place: Place) -> HttpResponse:
    """A further question about every instance."""
    form = NewAspectForm(request.POST or None, project=place.project)
    if form.is_valid():
        aspect = add_aspect(place.project, AspectSpec(**form.cleaned_data))
        messages.success(request, _("The aspect %s is asked from now on.") % aspect)
        return redirect(address(place, "settings"))
    return page(request, place, "dashboard/aspect.html", {"form": form}, tab="settings")


@within(Right.MANAGE)
def aspect(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """An aspect's words; its task type and scale too, while nobody has labelled it."""
    found = place.project.aspects.filter(pk=pk).first()
    if found is None:
        raise NotFound(f"{place.project.slug} has no aspect {pk}.")
    frozen = Label.objects.filter(project=place.project, aspect=found).exists()
    words = {"title": found.title, "description": found.description, "required": found.required}
    wording = WordingForm(request.POST or None, initial=words)
    scale = ScaleForm(
        None if frozen else request.POST or None,
        initial={"task_type": found.task_type, "settings": found.settings},
    )
    if wording.is_valid() and (frozen or scale.is_valid()):
        if not frozen:
            rescale_aspect(
                found, task_type=scale.cleaned_data["task_type"], given=scale.cleaned_data["settings"]
            )
        describe_aspect(found, **wording.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect(address(place, "settings"))
    context = {"aspect": found, "frozen": frozen, "form": wording, "scale": scale}
    return page(request, place, "dashboard/aspect.html", context, tab="settings")


@within(Right.MANAGE)
def guidelines(request: HttpRequest, place: Place) -> HttpResponse:
    """The editor: a preview of what is typed, or the next version."""
    current = place.project.guidelines()
    form = GuidelinesForm(request.POST or None, initial={"text": current.text if current else ""})
    if form.is_valid() and "preview" not in request.POST:
        written = write_guidelines(place.project, text=form.cleaned_data["text"], author=place.user)
        messages.success(request, _("Version %s stands; work from now on records it.") % written.number)
        return redirect(address(place, "settings"))
    text = form.cleaned_data["text"] if form.is_valid() else (current.text if current else "")
    context = {"form": form, "current": current, "rendered": render(text).html}
    return page(
        request,
        place,
        "dashboard/guidelines.html",
        context,
        tab="settings",
        fragment="dashboard/_preview.html",
    )


@within(Right.MANAGE)
def guideline_version(request: HttpRequest, place: Place, *, number: int) -> HttpResponse:
    """What annotators read at an earlier time."""
    version = place.project.guideline_versions.filter(number=number).select_related("author").first()
    if version is None:
        raise NotFound(f"{place.project.slug} has no guidelines v{number}.")
    labels = Label.objects.filter(project=place.project, guideline=version).count()
    context = {"version": version, "rendered": render(version.text).html, "labels": labels}
    return page(request, place, "dashboard/guideline_version.html", context, tab="settings")


@require_POST
@within(Right.OWN)
def archive(request: HttpRequest, place: Place) -> HttpResponse:
    """Puts the project away: nothing is lost, it is only no longer worked on."""
    archive_project(place.project, at=timezone.now())
    messages.success(request, _("%s is archived. Everything is kept.") % place.project.name)
    return redirect(address(place, "settings"))


@require_POST
@within(Right.OWN)
def unarchive(request: HttpRequest, place: Place) -> HttpResponse:
    archive_project(place.project, at=None)
    messages.success(request, _("%s is open again.") % place.project.name)
    return redirect(address(place, "settings"))
