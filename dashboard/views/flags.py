"""What annotators flagged: by whom, when and why, apart from what they merely skipped; and what came of it."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from annotate.actions import resolve_flag
from annotate.models import Assignment, Flag
from dashboard.doors import address, page, within
from ledger.access import Place

PAGE = 50


@within(Right.REVIEW)
def flags(request: HttpRequest, place: Place) -> HttpResponse:
    """The open flags, or with `?all=1` all of them; how often something was skipped otherwise, by reason."""
    everything = "all" in request.GET
    mine = Flag.objects.filter(project=place.project)
    shown = Paginator((mine if everything else mine.open()).told(), PAGE).get_page(request.GET.get("page"))
    context = {
        "shown": shown,
        "everything": everything,
        "resolved": mine.exclude(resolved=None).count(),
        "skips": Assignment.objects.skips_by_reason(place.project),
    }
    return page(request, place, "dashboard/flags.html", context, tab="instances")


@require_POST
@within(Right.REVIEW)
def resolve(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """Marks a flag as looked into, with a word on what came of it."""
    resolve_flag(place.project, pk, by=place.user, note=request.POST.get("note", ""))
    messages.success(request, _("The flag is resolved."))
    return redirect(address(place, "flags"))
