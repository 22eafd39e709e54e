"""The judges: what each would label, how each agrees with people, and their runs."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.rights import Right
from dashboard.doors import address, page, within
from dashboard.figures import has_labels, judges_beside_people, main_aspect, row_of
from dashboard.forms import RunForm
from dashboard.remembering import remembered, watermark
from judges.actions import cancel_run, pause_run, resume_run, start_run
from judges.catalog import CATALOG, JudgeSpec, from_json
from judges.models import JudgeRun
from ledger.access import Place, require_open
from ledger.models import Label, Project
from quality.panels import JudgesBesidePeople, RaterRow
from web.problems import NotFound, Problem

SHOWN_RUNS = 15


@dataclass
class Card:
    """A judge that can be run, with what it has done and what is left."""

    spec: JudgeSpec
    labelled: int
    left: int
    pace: float  # pairs a second in its last run; 0 where it never ran
    cost: float  # of an instance in its last run
    run: JudgeRun | None  # the one that is under way
    row: RaterRow | None

    @property
    def remote(self) -> bool:
        """Whether a server is called, so that a run may cost."""
        return any(backend.name == "openai-compatible" for backend in self.spec.backends.values())

    @property
    def minutes(self) -> float | None:
        """How long the rest takes at the last run's pace."""
        return self.left / self.pace / 60 if self.pace else None

    @property
    def price(self) -> float:
        return self.left * self.cost


@within(Right.MANAGE)
def judges(request: HttpRequest, place: Place) -> HttpResponse:
    """Every judge with its agreement beside the baseline's, and the form that runs one."""
    project = place.project
    aspects = list(project.aspects.all())
    aspect = main_aspect(project, request.GET.get("aspect", ""))
    panel = judges_beside_people(aspect) if aspect and has_labels(project) else None
    context = {
        "cards": cards(project, panel),
        "panel": panel,
        "aspect": aspect,
        "aspects": aspects,
        "runs": JudgeRun.objects.filter(project=project)
        .select_related("rater", "version", "author")
        .latest_first()[:SHOWN_RUNS],
    }
    return page(request, place, "dashboard/judges.html", context, tab="judges")


def labelled_by_judge(project: Project) -> dict[str, int]:
    """How many instances each judge has labelled, by its name."""

    def count() -> dict[str, int]:
        live = Label.objects.live().by_judges().filter(project=project)
        counted = live.values_list("rater__name").annotate(n=Count("instance", distinct=True)).order_by()
        return dict(counted)

    return remembered(project, "judged", str(watermark(project)), count)


def cards(project: Project, panel: JudgesBesidePeople | None) -> list[Card]:
    done, total = labelled_by_judge(project), project.instances.count()
    runs = list(JudgeRun.objects.filter(project=project).select_related("rater").latest_first()[:200])
    return [card(spec, done.get(spec.name, 0), total, runs, panel) for spec in all_judges(project)]


def all_judges(project: Project) -> list[JudgeSpec]:
    """Those that ship and the project's own, in one query; the same that `judges.specs.find_judge` finds."""
    own = {judge.name: from_json(judge.spec) for judge in project.own_judges.order_by("name")}
    return list((CATALOG | own).values())


def card(
    spec: JudgeSpec, done: int, total: int, runs: list[JudgeRun], panel: JudgesBesidePeople | None
) -> Card:
    mine = [run for run in runs if run.rater.name == spec.name]
    timed = next((run for run in mine if run.seconds and run.done), None)
    return Card(
        spec=spec,
        labelled=done,
        left=max(total - done, 0),
        pace=timed.pairs_per_second if timed else 0.0,
        cost=float(timed.cost) / timed.done if timed else 0.0,
        run=next((run for run in mine if run.active), None),
        row=row_of(panel, spec.name),
    )


@require_POST
@within(Right.MANAGE)
def run(request: HttpRequest, place: Place) -> HttpResponse:
    """Starts a run; the workers do it."""
    require_open(place.project)
    form = RunForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect(address(place, "judges"))
    chosen: dict[str, Any] = {name: value for name, value in form.cleaned_data.items() if value is not None}
    try:
        made = start_run(project=place.project, author=place.user, **chosen)
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        said = (
            _("%(judge)s judges %(n)s instances.")
            if made.total
            else _("%(judge)s has judged everything already.")
        )
        messages.success(request, said % {"judge": made.rater.name, "n": f"{made.total:,}"})
    return redirect(address(place, "judges"))


def run_of(place: Place, pk: int) -> JudgeRun:
    found = (
        JudgeRun.objects.filter(project=place.project, pk=pk)
        .select_related("rater", "version", "author")
        .first()
    )
    if found is None:
        raise NotFound(f"{place.project.slug} has no judge run {pk}.")
    return found


@within(Right.MANAGE)
def run_detail(request: HttpRequest, place: Place, *, pk: int) -> HttpResponse:
    """One run: how far it is, what it costs, what failed; htmx asks for the part that moves."""
    found = run_of(place, pk)
    context: dict[str, Any] = {"run": found, "left": found.seconds_left(timezone.now())}
    if not request.headers.get("HX-Request"):
        context["failures"] = found.failures.select_related("instance", "aspect").order_by("pk")[:50]
    return page(request, place, "dashboard/run.html", context, tab="judges", fragment="dashboard/_run.html")


STEERS = {"pause": pause_run, "resume": resume_run, "cancel": cancel_run}


@require_POST
@within(Right.MANAGE)
def steer(request: HttpRequest, place: Place, *, pk: int, verb: str) -> HttpResponse:
    """Pauses, resumes or cancels a run."""
    if verb not in STEERS:
        raise NotFound(f"A run can be paused, resumed or cancelled, not {verb!r}.")
    found = run_of(place, pk)
    try:
        STEERS[verb](found)
    except Problem as problem:
        messages.error(request, problem.detail)
    return redirect(address(place, "run", pk=pk) if "stay" in request.POST else address(place, "judges"))
