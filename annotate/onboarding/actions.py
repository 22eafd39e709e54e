"""The verbs of onboarding. Each locks the member's record, so that two tabs cannot take one step twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from annotate.alike import alike
from annotate.models import Notice, Onboarding
from annotate.notices import tell_admins
from annotate.onboarding.steps import Step, left_of, text_hash
from ledger.actions import set_member_status
from ledger.models import Instance, Label, Member, Project, Rater
from web.problems import Conflict

Answers = dict[str, dict[str, Any]]

FAILED = (
    "Your quiz fell short of what this project asks for, so your work here is paused. "
    "The project's admins have been told and can let you try again."
)


class StepIsOver(Conflict):
    code, title = "step-is-over", "This step was taken already, perhaps in another tab"


@contextmanager
def record_for(member: Member) -> Iterator[Onboarding]:
    """The member's record, made where there is none, locked, and saved at the end."""
    with transaction.atomic():
        Onboarding.objects.get_or_create(member=member)
        record = Onboarding.objects.select_for_update().get(member=member)
        yield record
        record.save()


def give_consent(member: Member, text: str, *, at: datetime) -> None:
    """Agrees to this text, of which the hash is kept."""
    with record_for(member) as record:
        record.agreed, record.agreed_to = at, text_hash(text)


def save_profile(member: Member, profile: dict[str, Any], *, share: bool, at: datetime) -> None:
    """Keeps what the member says of themselves, with whether it may be published; empty: nothing was said."""
    with record_for(member) as record:
        rater = Rater.objects.select_for_update().get(
            project=member.project_id, user=member.user_id, kind=Rater.Kind.PERSON
        )
        kept = {name: value for name, value in rater.settings.items() if name not in ("profile", "consent")}
        rater.settings = {**kept, "profile": profile, "consent": share} if profile else kept
        rater.save(update_fields=["settings"])
        record.profiled = at


def known_answers(instance: Instance) -> dict[str, Label]:
    """The instance's known answers by aspect; each label's rationale is the explanation."""
    labels = Label.objects.live().filter(instance=instance, rater__kind=Rater.Kind.GOLD)
    return {
        label.aspect.name: label for label in labels.select_related("aspect").order_by("aspect__position")
    }


def share_met(instance: Instance, answers: Answers) -> float:
    """How far the answers meet the known ones, 0…1; an aspect that was left out is missed."""
    known = known_answers(instance)
    met = [
        alike(label.aspect, label.value, answers[name]) if name in answers else 0.0
        for name, label in known.items()
    ]
    return sum(met) / len(met) if met else 1.0


def practise(member: Member, instance: Instance, answers: Answers) -> float:
    """Records an exercise of the training; how far it was met. Raises `StepIsOver`."""
    refs = asked_in(member.project, Step.TRAINING)["instances"]
    with record_for(member) as record:
        require_next(instance, refs, record.training)
        share = share_met(instance, answers)
        record.training = [*record.training, {"instance": instance.ref, "share": share}]
    return share


def answer_quiz(member: Member, instance: Instance, answers: Answers, *, at: datetime) -> Onboarding:
    """Records an answer of the quiz; the last one ends the attempt. Raises `StepIsOver`."""
    asked = asked_in(member.project, Step.QUIZ)
    with record_for(member) as record:
        if record.passed:
            raise StepIsOver(_("You have passed the quiz already."))
        require_next(instance, asked["instances"], record.quiz)
        record.quiz = [*record.quiz, {"instance": instance.ref, "share": share_met(instance, answers)}]
        if not left_of(asked["instances"], record.quiz):
            end_attempt(member, record, asked, at=at)
    return record


def asked_in(project: Project, step: Step) -> dict[str, Any]:
    return project.settings.get("onboarding", {}).get(step, {"instances": []})


def require_next(instance: Instance, refs: list[str], done: list[dict[str, Any]]) -> None:
    left = left_of(refs, done)
    if not left or left[0] != instance.ref:
        raise StepIsOver(_("This was answered already."))


def end_attempt(member: Member, record: Onboarding, asked: dict[str, Any], *, at: datetime) -> None:
    """Passes, leaves another attempt, or pauses the member and tells the admins."""
    score = sum(entry["share"] for entry in record.quiz) / len(record.quiz)
    passed = score >= asked["pass"] - 1e-9
    record.attempts = [*record.attempts, {"score": score, "passed": passed, "at": at.isoformat()}]
    record.quiz = []
    if passed:
        record.passed = at
    elif len(record.attempts) >= asked.get("attempts", 1):
        fail(member, score, asked["pass"], attempts=len(record.attempts))


def fail(member: Member, score: float, wanted: float, *, attempts: int) -> None:
    set_member_status(member, Member.Status.PAUSED, reason=FAILED)
    text = f"{member.user} failed the quiz: {score:.0%} where {wanted:.0%} is asked for, attempt {attempts}."
    facts = {"score": score, "pass": wanted, "attempts": attempts}
    tell_admins(member.project, kind=Notice.Kind.QUIZ, text=text, member=member, facts=facts)


def try_again(member: Member) -> None:
    """Whoever failed and is let go on starts the quiz anew, with all attempts."""
    Onboarding.objects.filter(member=member, passed=None).update(attempts=[], quiz=[])
