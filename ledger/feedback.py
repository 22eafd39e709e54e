"""Signals from use: thumbs, reactions, follow-up turns and edits become labels like everyone's."""

from typing import Any

from django.db import transaction

from ledger.actions import NewLabel, add_aspect, ensure_rater, write_labels
from ledger.models import Aspect, Instance, Label, Project, Rater
from ledger.task_types.signal import SIGNALS
from ledger.templates import AspectSpec
from web.problems import Invalid, NotFound

ANONYMOUS = "anonymous"
LASTING = ("thumbs", "edit")  # a later one of these corrects the earlier; the others add up


def record_feedback(
    project: Project, *, ref: str, signal: str, response: int, value: Any, user: str = ANONYMOUS
) -> int:
    """Writes one signal about one response; the label's id.

    `user` is the end user's pseudonym. Lock: the project's row, so that repeats are numbered in turn.
    Raises `NotFound`, `Invalid`, `InvalidAnswer`.
    """
    if signal not in SIGNALS:
        raise Invalid(f"signal must be one of {', '.join(SIGNALS)}, not {signal!r:.80}.")
    if not isinstance(user, str) or not 0 < len(user) <= 200 or "\x00" in user:
        raise Invalid("user must be a pseudonym of 1…200 characters.")
    instance = Instance.objects.filter(project=project, ref=ref).first()
    if instance is None:
        raise NotFound(f"There is no instance {ref!r} in {project.slug}.", instance=ref)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        aspect = feedback_aspect(project, signal)
        rater = ensure_rater(project, kind=Rater.Kind.USE, name=user)
        order = (response,) if isinstance(response, int) and 0 <= response < instance.size else ()
        repeat = 0 if signal in LASTING else count_before(rater, instance, aspect, order)
        answer = {"signal": signal, "response": response, "value": value}
        label = NewLabel(instance=instance, aspect=aspect, value=answer, order=order, repeat=repeat)
        return write_labels(project=project, rater=rater, labels=[label])[0]


def feedback_aspect(project: Project, signal: str) -> Aspect:
    """The aspect `feedback/thumbs` and the like, made when the first such signal arrives."""
    name = f"feedback/{signal}"
    found = project.aspects.filter(name=name).first()
    return found or add_aspect(project, AspectSpec(name, "signal", required=False))


def count_before(rater: Rater, instance: Instance, aspect: Aspect, order: tuple[int, ...]) -> int:
    mine = Label.objects.filter(rater=rater, instance=instance, aspect=aspect, order=list(order))
    return mine.count()
