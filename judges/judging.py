"""Instances in, outcomes out: the methods of a judge driven over a chunk. No writes here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from judges.catalog import JudgeSpec
from judges.items import Item, Limits
from judges.loading import item_of, make_method, question_of
from judges.methods import Steps, drive
from judges.methods.rationale import with_rationale
from judges.requests import Answer, Request
from judges.verdicts import Outcome
from ledger.models import Aspect, Instance

Answering = Callable[[Sequence[Request]], Sequence[Answer]]


@dataclass(frozen=True)
class Judged:
    """What a judge said about one aspect of one instance."""

    instance: Instance
    aspect: Aspect
    outcomes: list[Outcome]


def judge_instances(
    spec: JudgeSpec,
    instances: Sequence[Instance],
    aspects: Sequence[Aspect],
    *,
    answer: Answering,
    limits: Limits,
) -> list[Judged]:
    """One `Judged` for each instance and aspect that the judge can answer, all driven side by side."""
    asked = [
        (instance, aspect)
        for instance in instances
        for aspect in aspects
        if instance.size == 2 or aspect.task_type != "pairwise"
    ]
    methods = {aspect.pk: make_method(spec, aspect.task_type) for aspect in aspects}
    questions = {aspect.pk: question_of(aspect) for aspect in aspects}
    items = {instance.pk: item_of(instance) for instance in instances}
    steps = [
        explained(
            spec, method.steps(items[instance.pk], questions[aspect.pk], limits), items[instance.pk], limits
        )
        for instance, aspect in asked
        if (method := methods[aspect.pk]) is not None
    ]
    outcomes = drive(steps, answer)
    return [Judged(instance, aspect, mine) for (instance, aspect), mine in zip(asked, outcomes, strict=True)]


def explained(spec: JudgeSpec, steps: Steps, item: Item, limits: Limits) -> Steps:
    """The steps, followed by a rationale where the judge writes one."""
    return with_rationale(steps, item, limits, role=spec.rationale) if spec.rationale else steps
