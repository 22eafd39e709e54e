"""Methods: how a judge asks. Each is a frozen dataclass whose fields are its parameters, so that a version
is its hash.

A method's `steps` is a generator: it yields requests, is sent their answers, and returns outcomes. It
touches neither model nor database, and a runner drives the steps of many instances side by side, so that a
backend sees full batches.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import ClassVar, Protocol

from judges.items import Item, Limits, Question
from judges.requests import Answer, Failure, Request, sound, usage_of
from judges.verdicts import Failed, Outcome
from web.registry import Registry

Steps = Generator[Sequence[Request], Sequence[Answer], list[Outcome]]

METHODS = Registry(
    "judge method",
    {
        "pairwise": "judges.methods.pairwise:Pairwise",
        "rubric": "judges.methods.rubric:RubricScore",
        "probe": "judges.methods.probe:Probe",
        "reward": "judges.methods.reward:Reward",
        "jury": "judges.methods.jury:Jury",
        "generative": "judges.methods.generative:Generative",
        "self-reference": "judges.methods.self_reference:SelfReference",
        "debate": "judges.methods.debate:Debate",
        "density-ratio": "judges.methods.density_ratio:DensityRatio",
        "follow-up": "judges.methods.follow_up:FollowUp",
        "implicit-reward": "judges.methods.implicit_reward:ImplicitReward",
        "principles": "judges.methods.principles:Principles",
        "verifier": "judges.methods.verifier:Verifier",
        "vision": "judges.methods.vision:Vision",
    },
)


class Method(Protocol):
    """What every entry of METHODS is."""

    name: ClassVar[str]
    task_types: ClassVar[frozenset[str]]
    roles: ClassVar[tuple[str, ...]]

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """Ask about `item`; return one outcome a presentation."""
        ...

    def prompt_text(self, question: Question) -> str:
        """The prompt's fixed words, for the judge's frozen version and its page."""
        ...


def drive(
    steps: Sequence[Steps], answer: Callable[[Sequence[Request]], Sequence[Answer]]
) -> list[list[Outcome]]:
    """Run the generators side by side: in each round all their requests go to `answer` as one batch.

    A malformed answer reaches a method as a failure.
    """
    outcomes: list[list[Outcome]] = [[] for _ in steps]
    pending: dict[int, Sequence[Request]] = {}
    for index, one in enumerate(steps):
        _advance(index, one, None, pending, outcomes)
    while pending:
        flat = [request for requests in pending.values() for request in requests]
        answers = [sound(*both) for both in zip(flat, answer(flat), strict=True)]
        waiting, pending = pending, {}
        for index, requests in waiting.items():
            mine, answers = answers[: len(requests)], answers[len(requests) :]
            _advance(index, steps[index], mine, pending, outcomes)
    return outcomes


def failure(answer: Answer, answers: Sequence[Answer]) -> Failed:
    """The failed outcome for an `answer` that is not what was asked for; it still tells what all `answers`
    took.
    """
    if isinstance(answer, Failure):
        return Failed(answer.reason, answer.raw, usage_of(answers))
    return Failed(f"unexpected {type(answer).__name__}", "", usage_of(answers))


def _advance(
    index: int,
    one: Steps,
    answers: Sequence[Answer] | None,
    pending: dict[int, Sequence[Request]],
    outcomes: list[list[Outcome]],
) -> None:
    """Send `answers` to one generator; note its next requests, or its outcomes when it has ended."""
    try:
        pending[index] = next(one) if answers is None else one.send(answers)
    except StopIteration as stop:
        outcomes[index] = stop.value
