"""The list of instances, and one of them with every label, its route and its preference."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.rights import Right
from annotate import screen
from annotate.models import Flag
from dashboard.doors import page, within
from dashboard.filters import DISAGREEMENTS, LABELLED, WAYS, narrowed, read_filter
from dashboard.instances import everything_asked, live_decisions, neighbours, rows_of
from dashboard.search import index_missing
from ledger.access import Place
from ledger.models import Instance
from routing.models import Decision
from web.problems import NotFound

PAGE = 50


@within(Right.REVIEW)
def instances(request: HttpRequest, place: Place) -> HttpResponse:
    """A page of the instances that fit the filter."""
    aspects = list(place.project.aspects.all())
    wanted = read_filter(place.project, aspects, request.GET)
    if wanted.text:
        index_missing(place.project)
    found = narrowed(wanted)
    shown = Paginator(found.order_by("pk"), PAGE).get_page(request.GET.get("page"))
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "wanted": wanted,
        "shown": shown,
        "rows": rows_of(
            place.project, found, shown.start_index() - 1 if shown.paginator.count else 0, shown.end_index()
        ),
        "query": f"{query.urlencode()}&" if query else "",
        "aspects": aspects,
        "labelled": LABELLED,
        "ways": WAYS,
        "disagreements": DISAGREEMENTS,
    }
    return page(request, place, "dashboard/instances.html", context, tab="instances")


@within(Right.REVIEW)
def instance(request: HttpRequest, place: Place, *, ref: str) -> HttpResponseBase:
    """Everything about one instance."""
    found = Instance.objects.of(place.project).with_responses().filter(ref=ref).first()
    if found is None:
        raise NotFound(f"{place.project.slug} has no instance {ref!r}.", instance=ref)
    aspects = list(place.project.aspects.all())
    responses = list(found.responses.all())
    before, after = neighbours(found)
    context = {
        "instance": found,
        "prompt": screen.prompt(found),
        "panes": [(response, screen.pane(response, place=response.index + 1)) for response in responses],
        "asked": everything_asked(found, aspects),
        "decision": live_decisions(place.project, [found.pk]).first(),
        "earlier_decisions": Decision.objects.filter(instance=found, route__replaced__isnull=False)
        .select_related("route")
        .order_by("-route__created")[:10],
        "flags": Flag.objects.filter(assignment__instance=found).told(),
        "before": before,
        "after": after,
    }
    return page(request, place, "dashboard/instance.html", context, tab="instances")
