"""The steps and their order: a state machine whose state is what a member's `Onboarding` holds.

    consent → profile → training → quiz → work

A step that the project does not ask for is passed over; one that it adds, a consent whose text it changes and
a training that gains instances are asked of everybody.
"""

import hashlib
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.rights import ROLE_RIGHTS, Right
from annotate.models import Onboarding
from ledger.models import Instance, Label, Member, Project, Rater


class Step(models.TextChoices):
    CONSENT = "consent", _("Consent")
    PROFILE = "profile", _("About you")
    TRAINING = "training", _("Training")
    QUIZ = "quiz", _("Quiz")


def asked_of(project: Project, member: Member | None) -> dict[str, Any]:
    """What the project asks of this member: its settings by step; nothing of those who manage it."""
    if member is None or Right.MANAGE in ROLE_RIGHTS[member.role]:
        return {}
    return project.settings.get("onboarding", {})


def steps_of(project: Project) -> list[Step]:
    """The steps that the project asks for, in order."""
    return [step for step in Step if step in project.settings.get("onboarding", {})]


def missing_step(project: Project, member: Member | None) -> Step | None:
    """The first step that this member has not taken; None where they may work."""
    asked = asked_of(project, member)
    if not asked or member is None:
        return None
    record = record_of(member)
    return next((step for step in Step if step in asked and not taken(step, asked[step], record)), None)


def record_of(member: Member) -> Onboarding:
    """The member's record, or an unsaved empty one."""
    return Onboarding.objects.filter(member=member.pk).first() or Onboarding(member=member)


def taken(step: Step, asked: Any, record: Onboarding) -> bool:
    if step == Step.CONSENT:
        return record.agreed is not None and record.agreed_to == text_hash(asked)
    if step == Step.PROFILE:
        return record.profiled is not None
    if step == Step.TRAINING:
        return not left_of(asked["instances"], record.training)
    return record.passed is not None


def left_of(refs: list[str], done: list[dict[str, Any]]) -> list[str]:
    """The instances that are still to come, in the project's order."""
    before = {entry["instance"] for entry in done}
    return [ref for ref in refs if ref not in before]


def text_hash(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def exercises_of(project: Project) -> list[str]:
    """The instances of training and quiz, by their ids of import."""
    asked = project.settings.get("onboarding", {})
    return [ref for step in (Step.TRAINING, Step.QUIZ) for ref in asked.get(step, {}).get("instances", [])]


def apart_of(project: Project) -> list[int]:
    """The instances that nobody is given to label: training shows their answers, and the quiz asks about them."""
    refs = exercises_of(project)
    if not refs:
        return []
    return list(Instance.objects.filter(project=project, ref__in=refs).values_list("pk", flat=True))


def without_answer(project: Project) -> list[str]:
    """Those of training and quiz that are not there, or whose answer is not known."""
    known = Label.objects.live().filter(project=project, rater__kind=Rater.Kind.GOLD)
    found = set(known.order_by().values_list("instance__ref", flat=True).distinct())
    return [ref for ref in exercises_of(project) if ref not in found]
