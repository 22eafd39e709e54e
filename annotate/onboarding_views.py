"""The page of a member's next step towards the work: one address, a view a step. Works without scripts."""

import random
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import Right, signed_in
from annotate.forms.work import WorkForm
from annotate.keys import keys_of
from annotate.models import Onboarding
from annotate.onboarding.actions import (
    StepIsOver,
    answer_quiz,
    give_consent,
    known_answers,
    practise,
    save_profile,
)
from annotate.onboarding.profiles import PROFILES, ProfileForm
from annotate.onboarding.steps import Step, left_of, missing_step, record_of, steps_of
from annotate.screen import panes, prompt
from ledger.access import Place, enter
from ledger.actions import person_for
from ledger.models import Instance, Member
from ledger.questions import questions_of
from web.content import render as render_content

Answer = Callable[[Instance, WorkForm], HttpResponse]


@require_http_methods(["GET", "POST"])
def welcome(request: HttpRequest, slug: str) -> HttpResponse:
    """The first step that the caller has not taken; the work where there is none left."""
    place = enter(signed_in(request.user), slug, Right.LABEL)
    step = missing_step(place.project, place.member)
    if step is None or place.member is None:
        return redirect("annotate:work", slug)
    if request.method == "POST" and request.POST.get("step") != step:
        return redirect("annotate:welcome", slug)  # taken in another tab
    person_for(place.user, place.project)
    return VIEWS[step](request, place, place.member)


def show(
    request: HttpRequest, place: Place, step: Step, page: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    steps = steps_of(place.project)
    frame = {"project": place.project, "step": step, "steps": steps, "number": steps.index(step) + 1}
    return render(request, f"annotate/onboarding/{page}.html", {**frame, **context}, status=status)


def onward(place: Place) -> HttpResponse:
    return redirect("annotate:welcome", place.project.slug)


# ---------------------------------------------------------------- consent


def consent(request: HttpRequest, place: Place, member: Member) -> HttpResponse:
    """The text and a box to tick; nothing is asked of whoever leaves it."""
    text = place.project.settings["onboarding"][Step.CONSENT]
    if request.POST.get("agree") == "yes":
        give_consent(member, text, at=timezone.now())
        return onward(place)
    missed = request.method == "POST"
    context = {"content": render_content(text), "missed": missed}
    return show(request, place, Step.CONSENT, "consent", status=422 if missed else 200, **context)


# ---------------------------------------------------------------- profile


def profile(request: HttpRequest, place: Place, member: Member) -> HttpResponse:
    """The project's form; every answer is optional, and so is the form unless the project requires it."""
    asked = place.project.settings["onboarding"][Step.PROFILE]
    form = PROFILES[asked["form"]](request.POST or None)
    if request.method == "POST" and not asked.get("required") and "pass" in request.POST:
        save_profile(member, {}, share=False, at=timezone.now())
        return onward(place)
    if form.is_valid() and answered(form, required=asked.get("required", False)):
        save_profile(member, form.profile(), share=form.cleaned_data["share"], at=timezone.now())
        return onward(place)
    context = {"form": form, "optional": not asked.get("required", False)}
    return show(request, place, Step.PROFILE, "profile", status=422 if form.errors else 200, **context)


def answered(form: ProfileForm, *, required: bool) -> bool:
    """Whether enough was said; the form says so where it was not."""
    if required and not form.profile():
        form.add_error(None, _("Please answer at least one question; any of them may be left out."))
    return form.is_valid()


# ---------------------------------------------------------------- training and quiz


def training(request: HttpRequest, place: Place, member: Member) -> HttpResponse:
    """One exercise after the other, each followed by the known answer and why it is that."""

    def answer(instance: Instance, form: WorkForm) -> HttpResponse:
        share = practise(member, instance, form.answers)
        if not form.parts:
            return onward(place)
        return show_feedback(request, place, instance, form, share=share)

    return exercise(request, place, member, Step.TRAINING, record_of(member).training, answer)


def quiz(request: HttpRequest, place: Place, member: Member) -> HttpResponse:
    """One question after the other without a word on how it went; the last one tells the result."""

    def answer(instance: Instance, form: WorkForm) -> HttpResponse:
        after = answer_quiz(member, instance, form.answers, at=timezone.now())
        return onward(place) if after.quiz else after_attempt(request, place, after)

    return exercise(request, place, member, Step.QUIZ, record_of(member).quiz, answer)


def exercise(
    request: HttpRequest, place: Place, member: Member, step: Step, done: list[dict[str, Any]], answer: Answer
) -> HttpResponse:
    """The next instance of the step, or what `answer` makes of the one that was posted.

    An instance whose known answers were taken back has nothing to ask and is passed over.
    """
    asked = place.project.settings["onboarding"][step]["instances"]
    instance = current(place, asked, done)
    form = exercise_form(place, member, instance, request)
    posted = request.method == "POST"
    if posted and request.POST.get("instance") != instance.ref:
        return onward(place)
    if form.parts and not (posted and form.is_valid()):
        count = {"count": len(done) + 1, "of": len(asked)}
        status = 422 if posted else 200
        return show_exercise(request, place, step, instance, form, status=status, **count)
    try:
        return answer(instance, form)
    except StepIsOver:
        return onward(place)


def current(place: Place, refs: list[str], done: list[dict[str, Any]]) -> Instance:
    """The exercise that comes next."""
    ref = left_of(refs, done)[0]
    instance = Instance.objects.with_responses().get(project=place.project, ref=ref)
    instance.project = place.project
    return instance


def order_for(member: Member, instance: Instance) -> list[int]:
    """The order in which this member sees the exercise: theirs by chance, and the same at every look."""
    order = list(range(instance.size))
    random.Random(f"{member.pk}:{instance.pk}").shuffle(order)
    return order


def exercise_form(place: Place, member: Member, instance: Instance, request: HttpRequest) -> WorkForm:
    """The instance's questions whose answers are known."""
    known = known_answers(instance)
    aspects = [
        aspect for aspect in questions_of(place.project).for_size(instance.size) if aspect.name in known
    ]
    fields = {name: values for name, values in request.POST.lists() if "." in name}
    order = order_for(member, instance)
    return WorkForm(aspects, responses=instance.responses.all(), order=order, fields=fields)


def show_exercise(
    request: HttpRequest,
    place: Place,
    step: Step,
    instance: Instance,
    form: WorkForm,
    *,
    status: int,
    **count: int,
) -> HttpResponse:
    context = {
        "instance": instance,
        "form": form,
        "prompt": prompt(instance),
        "panes": panes(form.responses, form.order, dividing=form.dividing()),
        "keys": keys_of(place.user),
    }
    return show(request, place, step, "exercise", status=status, **context, **count)


def show_feedback(
    request: HttpRequest, place: Place, instance: Instance, form: WorkForm, *, share: float
) -> HttpResponse:
    """What was answered beside what is known, and why."""
    known = known_answers(instance)
    answers = {name: label.value for name, label in known.items()}
    right = WorkForm(
        [part.aspect for part in form.parts],
        responses=form.responses,
        order=form.order,
        fields=form.fields_of(answers),
    )
    rows = [
        {"aspect": mine.aspect, "mine": mine.summary(), "known": theirs.summary()}
        for mine, theirs in zip(form.parts, right.parts, strict=True)
    ]
    explanations = list(dict.fromkeys(label.rationale for label in known.values() if label.rationale))
    return show(
        request,
        place,
        Step.TRAINING,
        "feedback",
        rows=rows,
        met=share == 1,
        explanations=[render_content(text) for text in explanations],
        prompt=prompt(instance),
        panes=panes(form.responses, form.order),
        keys=keys_of(place.user),
    )


def after_attempt(request: HttpRequest, place: Place, record: Onboarding) -> HttpResponse:
    """Passed, or how many attempts are left; whoever has none left meets the reason why they are paused."""
    asked, last = place.project.settings["onboarding"][Step.QUIZ], record.attempts[-1]
    if last["passed"]:
        return show(request, place, Step.QUIZ, "passed")
    left = asked.get("attempts", 1) - len(record.attempts)
    if left > 0:
        told = {"score": round(100 * last["score"]), "wanted": round(100 * asked["pass"]), "left": left}
        text = _("You reached %(score)s %%; %(wanted)s %% are asked for. Attempts left: %(left)s.") % told
        messages.warning(request, text)
    return onward(place)


VIEWS: dict[Step, Callable[[HttpRequest, Place, Member], HttpResponse]] = {
    Step.CONSENT: consent,
    Step.PROFILE: profile,
    Step.TRAINING: training,
    Step.QUIZ: quiz,
}
