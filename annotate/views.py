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
    lease_next_id,
    save_draft,
    skip_assignment,
    submit_annotation,
)
from annotate.api import MAX_DURATION_MS, receipt
from annotate.forms.base import Fields
from annotate.forms.preferences import PreferencesForm
from annotate.forms.work import WorkForm
from annotate.keys import keys_of
from annotate.models import Assignment
from annotate.my_work import Work, my_work
from annotate.problems import AlreadySubmitted, LeaseGone, OnboardingNeeded
from annotate.progress import progress
from annotate.quotas import why_nothing
from annotate.screen import FLAG_REASONS, SKIP_REASONS, contents, panes, prompt
from ledger.desk import Desk, users_desk
from ledger.models import GuidelineVersion, Label, Project
from ledger.questions import questions_of
from web.content import render as render_content
from web.fragments import render_fragment, wants_fragment
from web.idempotency import KeyReused, fingerprint, once
from web.paging import digits

GRACE_SECONDS = 30
DONE = re.compile(r"([0-9]{1,18})-([0-9a-f]{16})-([0-9]{1,12})")  # what `after` writes

# ---------------------------------------------------------------- the door


def my_desk(request: HttpRequest, slug: str) -> Desk:
    return users_desk(signed_in(request.user), slug)


# ---------------------------------------------------------------- the screen


@require_GET
def work(request: HttpRequest, slug: str) -> HttpResponse:
    """The instance that the caller holds, or the next one."""
    return next_screen(request, my_desk(request, slug), done=request.GET.get("done", ""))


def next_screen(request: HttpRequest, desk: Desk, *, done: str = "") -> HttpResponse:
    try:
        leased = lease_next_id(desk.project, desk.rater_id, member=desk.member, at=timezone.now())
    except OnboardingNeeded as needed:
        return go_to(request, needed.facts["page"])
    if leased is None:
        why = why_nothing(desk.project, desk.rater_id, desk.member, at=timezone.now())
        context = frame(desk, request) | receipt_context(desk, done) | {"why": why}
        return show(request, "annotate/nothing.html", context)
    mine = my_work(desk, leased)
    form = work_form(mine, fields=(mine.assignment.draft or {}).get("fields"))
    return show_work(request, desk, mine.assignment, form, done=done)


def go_to(request: HttpRequest, page: str) -> HttpResponse:
    """Another page, also where only the screen was to be swapped."""
    return (
        HttpResponse(status=204, headers={"HX-Redirect": page}) if wants_fragment(request) else redirect(page)
    )


def work_form(mine: Work, *, fields: Fields | None) -> WorkForm:
    aspects = asked_about(mine.assignment.project, mine.assignment.instance)
    return WorkForm(aspects, responses=mine.responses, order=mine.assignment.order, fields=fields)


def show(request: HttpRequest, page: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page of the workbench, or its inner part `_….html` where the screen is swapped in place."""
    folder, _slash, name = page.rpartition("/")
    return render_fragment(request, page, context, fragment=f"{folder}/_{name}", status=status)


def show_work(
    request: HttpRequest,
    desk: Desk,
    assignment: Assignment,
    form: WorkForm,
    *,
    status: int = 200,
    **extra: Any,
) -> HttpResponse:
    done = extra.pop("done", "")
    context = frame(desk, request) | receipt_context(desk, done) | screen(desk, assignment, form) | extra
    return show(request, "annotate/work.html", context, status=status)


def screen(desk: Desk, assignment: Assignment, form: WorkForm) -> dict[str, Any]:
    """What the work screen shows of an assignment."""
    correcting = assignment.status == Assignment.Status.SUBMITTED
    verb = "resubmit" if correcting else "submit"
    asked = prompt(assignment.instance)
    shown = panes(form.responses, form.order, dividing=form.dividing())
    return {
        "assignment": assignment,
        "form": form,
        "prompt": asked,
        "panes": shown,
        "needs_math": any(content.has_math for content in contents(asked, shown)),
        "has_films": len(shown) > 1 and all(pane.has_film for pane in shown),
        "correcting": correcting,
        "action": reverse(f"annotate:{verb}", args=[desk.project.slug, assignment.pk]),
        "back_url": reverse("annotate:back", args=[desk.project.slug]) + f"?from={assignment.pk}",
        "submission_key": uuid4().hex,
        "skip_reasons": SKIP_REASONS,
        "flag_reasons": FLAG_REASONS,
        "must_read": bool(desk.project.settings.get("must_read")),
        "has_read": correcting,
    }


def frame(desk: Desk, request: HttpRequest) -> dict[str, Any]:
    """What surrounds the work: the project, the keys, the guidelines, how far along it is."""
    keys = keys_of(desk.user)
    written = questions_of(desk.project).guideline
    return {
        "project": desk.project,
        "can_manage": allowed(desk.user, desk.role, Right.MANAGE),
        "keys": keys,
        "keys_json": orjson.dumps({action: key.key for action, key in keys.items()}).decode(),
        "advance": desk.user.preferences.get("advance", "complete"),
        "guidelines": written,
        "guidelines_content": guidelines_content(request, written),
        "progress": progress(desk),
        "grace": GRACE_SECONDS,
    }


def guidelines_content(request: HttpRequest, written: GuidelineVersion | None) -> Any:
    """The rendered guidelines; a swapped screen keeps those that the page has."""
    return render_content(written.text) if written and not wants_fragment(request) else None


# ---------------------------------------------------------------- submitting


@require_http_methods(["GET", "POST"])
def submit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Writes the answers and shows what comes next."""
    desk = my_desk(request, slug)
    if request.method == "GET":  # a sign-in on the way leads back here
        return redirect("annotate:work", slug)
    mine = my_work(desk, pk)
    form = work_form(mine, fields=posted(request))
    if not form.is_valid() or unread(request, mine.assignment):
        return show_work(
            request, desk, mine.assignment, form, status=422, **reading(request, mine.assignment)
        )
    try:
        return after(request, desk, pk, write(request, desk, pk, form))
    except LeaseGone as refusal:
        return lease_gone(request, desk, pk, refusal)
    except (AlreadySubmitted, KeyReused):
        return show_work(request, desk, my_work(desk, pk).assignment, form, status=409, refused=twice())


def unread(request: HttpRequest, assignment: Assignment) -> bool:
    """Whether the project wants the notes beside the prompt read, there are some, and nobody said so."""
    wanted = assignment.project.settings.get("must_read") and prompt(assignment.instance).notes
    return bool(wanted) and "read" not in request.POST


def reading(request: HttpRequest, assignment: Assignment) -> dict[str, Any]:
    if not unread(request, assignment):
        return {"has_read": "read" in request.POST}
    return {"refused": _("Read what stands beside the prompt, and say so, before you submit.")}


def write(request: HttpRequest, desk: Desk, pk: int, form: WorkForm) -> dict[str, Any]:
    """The receipt of the submission; the same one again for a repeated key."""

    def act() -> dict[str, Any]:
        labels = submit_annotation(
            assignment_id=pk, user_id=desk.user.pk, answers=form.answers, duration_ms=duration(request.POST)
        )
        return receipt(labels)

    print_ = fingerprint(request.path.encode(), orjson.dumps(form.answers, option=orjson.OPT_SORT_KEYS))
    return once(scope=f"work:{desk.user.pk}", key=request.POST.get("key", "")[:200], print_=print_, act=act)


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


def after(request: HttpRequest, desk: Desk, pk: int, given: dict[str, Any]) -> HttpResponse:
    """What follows a submission: the next screen in place, or a redirect where the form was posted plainly."""
    done = f"{pk}-{given['receipt'][:16]}-{int(time.time())}"
    if wants_fragment(request):
        return next_screen(request, desk, done=done)
    return redirect(reverse("annotate:work", args=[desk.project.slug]) + "?" + urlencode({"done": done}))


def receipt_context(desk: Desk, done: str) -> dict[str, Any]:
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
            "url": reverse("annotate:correct", args=[desk.project.slug, pk]),
        }
    }


def lease_gone(request: HttpRequest, desk: Desk, pk: int, refusal: LeaseGone) -> HttpResponse:
    """Nothing typed is lost: it is kept as the draft, which the next lease on the instance carries."""
    save_draft(assignment_id=pk, user_id=desk.user.pk, draft={"fields": posted(request)})
    return show(request, "annotate/gone.html", frame(desk, request) | {"problem": refusal}, status=409)


# ---------------------------------------------------------------- back, undo, correct


@require_GET
def back(request: HttpRequest, slug: str) -> HttpResponse:
    """To the submission before the one that is on the screen."""
    desk = my_desk(request, slug)
    mine = Assignment.objects.submitted().filter(project=desk.project, rater=desk.rater_id)
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
    desk = my_desk(request, slug)
    mine = my_work(desk, pk)
    if mine.assignment.status != Assignment.Status.SUBMITTED:
        return redirect("annotate:work", slug)
    return show_work(request, desk, mine.assignment, work_form(mine, fields=answered_fields(mine)))


def answered_fields(mine: Work) -> dict[str, list[str]]:
    """The fields that show the labels of a submission again."""
    assignment = mine.assignment
    labels = Label.objects.live().filter(
        instance=assignment.instance_id,
        rater=assignment.rater_id,
        repeat=assignment.repeat,
        order=assignment.order,
    )
    answers = {label.aspect.name: label.value for label in labels.select_related("aspect")}
    return work_form(mine, fields=None).fields_of(answers)


@require_POST
def resubmit(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Replaces the labels of a submission by superseding ones."""
    desk = my_desk(request, slug)
    mine = my_work(desk, pk)
    form = work_form(mine, fields=posted(request))
    if not form.is_valid():
        return show_work(request, desk, mine.assignment, form, status=422)
    labels = correct_annotation(assignment_id=pk, user_id=desk.user.pk, answers=form.answers)
    return after(request, desk, pk, receipt(labels))


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
    desk = my_desk(request, slug)
    try:
        act(assignment_id=pk, user_id=desk.user.pk, reason=reason.strip()[:490])
    except (LeaseGone, AlreadySubmitted):
        pass  # given back already, by the clock or from another tab: what the caller wanted has happened
    return next_screen(request, desk) if wants_fragment(request) else redirect("annotate:work", slug)


@require_POST
def draft(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Keeps what was entered so far."""
    desk = my_desk(request, slug)
    save_draft(assignment_id=pk, user_id=desk.user.pk, draft={"fields": posted(request)})
    return HttpResponse(status=204)


@require_POST
def heartbeat(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    desk = my_desk(request, slug)
    extend_lease(assignment_id=pk, user_id=desk.user.pk)
    return HttpResponse(status=204)


@require_GET
def guidelines(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's guidelines as a page of their own."""
    desk = my_desk(request, slug)
    written = desk.project.guidelines()
    content = render_content(written.text) if written else None
    context = {"project": desk.project, "guidelines": written, "guidelines_content": content}
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
