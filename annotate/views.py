"""The annotator's pages: thin doors to the verbs of `annotate.actions`. Each works without scripts."""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import Right, allowed, signed_in
from annotate.actions import (
    asked_about,
    correct_annotation,
    extend_lease,
    flag_assignment,
    lease_next,
    save_draft,
    skip_assignment,
    submit_annotation,
)
from annotate.actions.mixing import mixes
from annotate.api import MAX_DURATION_MS, receipt
from annotate.forms.base import Fields
from annotate.forms.preferences import PreferencesForm
from annotate.forms.work import WorkForm
from annotate.keys import keys_of
from annotate.models import Assignment, Seat
from annotate.problems import AlreadySubmitted, LeaseGone, OnboardingNeeded
from annotate.quotas import quota_of, why_nothing
from annotate.screen import FLAG_REASONS, SKIP_REASONS, contents, panes, prompt
from ledger.access import Place, enter
from ledger.actions import person_for
from ledger.models import GuidelineVersion, Label, Project
from ledger.questions import questions_of
from web.content import render as render_content
from web.fragments import render_fragment, wants_fragment
from web.idempotency import KeyReused, fingerprint, once
from web.paging import digits
from web.problems import NotFound

GRACE_SECONDS = 30
EXACT_COUNT = 1000  # fewer open seats than this are counted for every page
DONE = re.compile(r"([0-9]{1,18})-([0-9a-f]{16})-([0-9]{1,12})")  # what `after` writes
COUNT_SECONDS = 30  # how long a larger number of open seats is remembered

# ---------------------------------------------------------------- the door


def place_of(request: HttpRequest, slug: str) -> Place:
    return enter(signed_in(request.user), slug, Right.LABEL)


def my_assignment(place: Place, pk: int) -> Assignment:
    """The caller's own assignment in this project. Raises `NotFound`, also for somebody else's."""
    mine = Assignment.objects.select_related("instance", "project")
    found = mine.filter(pk=pk, project=place.project, rater__user=place.user).first()
    if found is None:
        raise NotFound(f"There is no assignment {pk} of yours in {place.project.slug}.")
    return found


# ---------------------------------------------------------------- the screen


@require_GET
def work(request: HttpRequest, slug: str) -> HttpResponse:
    """The instance that the caller holds, or the next one."""
    return next_screen(request, place_of(request, slug), done=request.GET.get("done", ""))


def next_screen(request: HttpRequest, place: Place, *, done: str = "") -> HttpResponse:
    rater = person_for(place.user, place.project)
    try:
        assignment = lease_next(place.project, rater, member=place.member)
    except OnboardingNeeded as needed:
        return go_to(request, needed.facts["page"])
    if assignment is None:
        why = why_nothing(place.project, rater.pk, place.member, at=timezone.now())
        context = frame(place, request) | receipt_context(place, done) | {"why": why}
        return show(request, "annotate/nothing.html", context)
    fields = (assignment.draft or {}).get("fields")
    form = work_form(assignment, fields=fields)
    return show_work(request, place, assignment, form, done=done)


def go_to(request: HttpRequest, page: str) -> HttpResponse:
    """Another page, also where only the screen was to be swapped."""
    return (
        HttpResponse(status=204, headers={"HX-Redirect": page}) if wants_fragment(request) else redirect(page)
    )


def work_form(assignment: Assignment, *, fields: Fields | None) -> WorkForm:
    instance = assignment.instance
    prefetch_related_objects([instance], "responses")
    aspects = asked_about(assignment.project, instance)
    return WorkForm(aspects, responses=instance.responses.all(), order=assignment.order, fields=fields)


def show(request: HttpRequest, page: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the workbench, or its inner part `_….html` where the screen is swapped in place."""
    folder, _slash, name = page.rpartition("/")
    return render_fragment(request, page, context, fragment=f"{folder}/_{name}", status=status)


def show_work(
    request: HttpRequest,
    place: Place,
    assignment: Assignment,
    form: WorkForm,
    *,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    done = extra.pop("done", "")
    context = frame(place, request) | receipt_context(place, done) | screen(place, assignment, form) | extra
    return show(request, "annotate/work.html", context, status=status)


def screen(place: Place, assignment: Assignment, form: WorkForm) -> dict[str, Any]:
    """What the work screen shows of an assignment."""
    instance = assignment.instance
    correcting = assignment.status == Assignment.Status.SUBMITTED
    verb = "resubmit" if correcting else "submit"
    asked, shown = prompt(instance), panes(instance, assignment.order, dividing=form.dividing())
    return {
        "assignment": assignment,
        "form": form,
        "prompt": asked,
        "panes": shown,
        "needs_math": any(content.has_math for content in contents(asked, shown)),
        "has_films": len(shown) > 1 and all(pane.has_film for pane in shown),
        "correcting": correcting,
        "action": reverse(f"annotate:{verb}", args=[place.project.slug, assignment.pk]),
        "back_url": reverse("annotate:back", args=[place.project.slug]) + f"?from={assignment.pk}",
        "submission_key": uuid4().hex,
        "skip_reasons": SKIP_REASONS,
        "flag_reasons": FLAG_REASONS,
        "must_read": bool(place.project.settings.get("must_read")),
        "has_read": correcting,
    }


def frame(place: Place, request: HttpRequest) -> dict[str, Any]:
    """What surrounds the work: the project, the keys, the guidelines, how far along it is."""
    keys = keys_of(place.user)
    written = questions_of(place.project).guideline
    return {
        "project": place.project,
        "can_manage": allowed(place.user, place.role, Right.MANAGE),
        "keys": keys,
        "keys_json": orjson.dumps({action: key.key for action, key in keys.items()}).decode(),
        "advance": place.user.preferences.get("advance", "complete"),
        "guidelines": written,
        "guidelines_content": guidelines_content(request, written),
        "progress": progress(place),
        "grace": GRACE_SECONDS,
    }


def guidelines_content(request: HttpRequest, written: GuidelineVersion | None) -> Any:
    """The rendered guidelines; a swapped screen keeps those that the page has."""
    return render_content(written.text) if written and not wants_fragment(request) else None


def progress(place: Place) -> dict[str, Any]:
    """How much the caller has done, and how much is left for anyone; today's quota where there is one."""
    mine = Assignment.objects.submitted().filter(project=place.project, rater__user=place.user)
    quota = quota_of(place.project, place.member).daily
    if quota:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        done = mine.filter(ended_at__gte=today).count()
        return {
            "done": done,
            "total": quota,
            "words": _("%(n)s of %(all)s today") % {"n": done, "all": quota},
        }
    if mixes(place.project):  # a number that stood still would tell what was mixed in
        done = mine.count()
        return {"done": done, "total": 0, "words": _("%(n)s done") % {"n": done}}
    done, left = mine.count(), seats_left(place.project)
    return {
        "done": done,
        "total": done + left,
        "words": _("%(n)s done, %(left)s left") % {"n": done, "left": left},
    }


def seats_left(project: Project) -> int:
    """Open seats: to the seat where few are left, else at most half a minute old.

    Counting a million for every page would cost more than the page.
    """
    open_seats = Seat.objects.filter(project=project, status=Seat.Status.OPEN)
    few = open_seats[:EXACT_COUNT].count()
    if few < EXACT_COUNT:
        return few
    return cache.get_or_set(f"seats-left:{project.pk}", open_seats.count, COUNT_SECONDS) or 0


# ---------------------------------------------------------------- submitting


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Writes the answers and shows what comes next."""
    place = place_of(request, slug)
    if request.method == "GET":  # a sign-in on the way leads back here
        return redirect("annotate:work", slug)
    assignment = my_assignment(place, pk)
    form = work_form(assignment, fields=posted(request))
    if not form.is_valid() or unread(request, assignment):
        return show_work(request, place, assignment, form, status=422, **reading(request, assignment))
    try:
        return after(request, place, pk, write(request, place, pk, form))
    except LeaseGone as refusal:
        return lease_gone(request, place, pk, refusal)
    except (AlreadySubmitted, KeyReused):
        return show_work(request, place, my_assignment(place, pk), form, status=409, refused=twice())


def unread(request: HttpRequest, assignment: Assignment) -> bool:
    """Whether the project wants the notes beside the prompt read, there are some, and nobody said so."""
    wanted = assignment.project.settings.get("must_read") and prompt(assignment.instance).notes
    return bool(wanted) and "read" not in request.POST


def reading(request: HttpRequest, assignment: Assignment) -> dict[str, Any]:
    if not unread(request, assignment):
        return {"has_read": "read" in request.POST}
    return {"refused": _("Read what stands beside the prompt, and say so, before you submit.")}


def write(request: HttpRequest, place: Place, pk: int, form: WorkForm) -> dict[str, Any]:
    """The receipt of the submission; the same one again for a repeated key."""

    def act() -> dict[str, Any]:
        labels = submit_annotation(
            assignment_id=pk, user_id=place.user.pk, answers=form.answers, duration_ms=duration(request.POST)
        )
        return receipt(labels)

    print_ = fingerprint(request.path.encode(), orjson.dumps(form.answers, option=orjson.OPT_SORT_KEYS))
    return once(scope=f"work:{place.user.pk}", key=request.POST.get("key", "")[:200], print_=print_, act=act)


def posted(request: HttpRequest) -> dict[str, list[str]]:
    """The answers' fields, and nothing else of the form."""
    return {name: values for name, values in request.POST.lists() if name.startswith("a") and "." in name}


def duration(data: QueryDict) -> int | None:
    spent = digits(data.get("duration_ms", ""))
    return None if spent is None else min(spent, MAX_DURATION_MS)


def twice() -> str:
    return _(
        "This was submitted already, perhaps in another tab. Submit again to correct it with what is shown here."
    )


def after(request: HttpRequest, place: Place, pk: int, given: dict[str, Any]) -> HttpResponse:
    """What follows a submission: the next screen in place, or a redirect where the form was posted plainly."""
    done = f"{pk}-{given['receipt'][:16]}-{int(time.time())}"
    if wants_fragment(request):
        return next_screen(request, place, done=done)
    return redirect(reverse("annotate:work", args=[place.project.slug]) + "?" + urlencode({"done": done}))


def receipt_context(place: Place, done: str) -> dict[str, Any]:
    """The receipt of the submission before, from `assignment-hash-seconds`; shown, never trusted."""
    found = DONE.fullmatch(done)
    if not found:
        return {}
    pk, digest, at = found.groups()
    until = (int(at) + GRACE_SECONDS) * 1000
    return {
        "receipt": {
            "hash": digest,
            "until": until,
            "url": reverse("annotate:correct", args=[place.project.slug, pk]),
        }
    }


def lease_gone(request: HttpRequest, place: Place, pk: int, refusal: LeaseGone) -> HttpResponse:
    """Nothing typed is lost: it is kept as the draft, which the next lease on the instance carries."""
    save_draft(assignment_id=pk, user_id=place.user.pk, draft={"fields": posted(request)})
    return show(request, "annotate/gone.html", frame(place, request) | {"problem": refusal}, status=409)


# ---------------------------------------------------------------- back, undo, correct


@require_GET
def back(request: HttpRequest, slug: str) -> HttpResponse:
    """To the submission before the one that is on the screen."""
    place = place_of(request, slug)
    mine = Assignment.objects.submitted().filter(project=place.project, rater__user=place.user)
    now = digits(request.GET.get("from", ""))
    current = mine.filter(pk=now).first() if now is not None else None
    before = mine.filter(ended_at__lt=current.ended_at) if current else mine
    found = before.order_by("-ended_at").first()
    if found is None:
        messages.info(request, _("There is nothing before this."))
        return redirect("annotate:work", slug)
    return redirect("annotate:correct", slug, found.pk)


@require_GET
def correct(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Earlier work, with its answers, to be corrected."""
    place = place_of(request, slug)
    assignment = my_assignment(place, pk)
    if assignment.status != Assignment.Status.SUBMITTED:
        return redirect("annotate:work", slug)
    return show_work(request, place, assignment, work_form(assignment, fields=answered_fields(assignment)))


def answered_fields(assignment: Assignment) -> dict[str, list[str]]:
    """The fields that show the labels of a submission again."""
    labels = Label.objects.live().filter(
        instance=assignment.instance_id,
        rater=assignment.rater_id,
        repeat=assignment.repeat,
        order=assignment.order,
    )
    answers = {label.aspect.name: label.value for label in labels.select_related("aspect")}
    return work_form(assignment, fields=None).fields_of(answers)


@require_POST
def resubmit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Replaces the labels of a submission by superseding ones."""
    place = place_of(request, slug)
    assignment = my_assignment(place, pk)
    form = work_form(assignment, fields=posted(request))
    if not form.is_valid():
        return show_work(request, place, assignment, form, status=422)
    labels = correct_annotation(assignment_id=pk, user_id=place.user.pk, answers=form.answers)
    return after(request, place, pk, receipt(labels))


# ---------------------------------------------------------------- skip, flag, drafts, the lease


@require_POST
def skip(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    reason = request.POST.get("skip_reason") or request.POST.get("skip_words", "")
    return give_back(request, slug, pk, skip_assignment, reason=reason)


@require_POST
def flag(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Skips, and has the project's reviewers look into it."""
    reason = request.POST.get("flag_reason") or request.POST.get("flag_words", "")
    return give_back(request, slug, pk, flag_assignment, reason=reason)


def give_back(
    request: HttpRequest, slug: str, pk: int, act: Callable[..., Any], *, reason: str
) -> HttpResponse:
    place = place_of(request, slug)
    try:
        act(assignment_id=pk, user_id=place.user.pk, reason=reason.strip()[:490])
    except (LeaseGone, AlreadySubmitted):
        pass  # given back already, by the clock or from another tab: what the caller wanted has happened
    return next_screen(request, place) if wants_fragment(request) else redirect("annotate:work", slug)


@require_POST
def draft(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Keeps what was entered so far."""
    place = place_of(request, slug)
    save_draft(assignment_id=pk, user_id=place.user.pk, draft={"fields": posted(request)})
    return HttpResponse(status=204)


@require_POST
def heartbeat(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    place = place_of(request, slug)
    extend_lease(assignment_id=pk, user_id=place.user.pk)
    return HttpResponse(status=204)


@require_GET
def guidelines(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's guidelines as a page of their own."""
    place = place_of(request, slug)
    written = place.project.guidelines()
    content = render_content(written.text) if written else None
    context = {"project": place.project, "guidelines": written, "guidelines_content": content}
    return render(request, "annotate/guidelines.html", context)


# ---------------------------------------------------------------- where people land


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """A landing page for strangers; the work for annotators; the projects for those who manage one."""
    if not request.user.is_authenticated:
        return render(request, "landing.html", {"demo": settings.DEMO})
    user = signed_in(request.user)
    visible = list(Project.objects.visible_to(user).open().order_by("name")[:200])
    roles = dict(user.memberships.values_list("project_id", "role"))
    if any(allowed(user, roles.get(project.pk), Right.MANAGE) for project in visible) or user.is_superuser:
        return redirect("/projects/")
    if len(visible) == 1:
        return redirect("annotate:work", visible[0].slug)
    return render(request, "annotate/projects.html", {"projects": visible})


# ---------------------------------------------------------------- a person's own settings


@require_http_methods(["GET", "POST"])
def settings_page(request: HttpRequest) -> HttpResponse:
    """Theme, contrast, language, keys and moving on; kept with the account, and as cookies for the first paint."""
    user = signed_in(request.user)
    form = PreferencesForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your settings are saved."))
        response = redirect("annotate:settings")
        for name, value in form.cookies().items():
            response.set_cookie(name, value, max_age=365 * 24 * 3600, samesite="Lax")
        return response
    return render(request, "annotate/settings.html", {"form": form}, status=422 if form.errors else 200)
