"""Jury: several judges, each by its own method and backend; a weighted vote or a weighted mean of log-odds.

`mean` combines z = Σ w_m z_m / Σ w_m of the members' averaged log-odds, `vote` the weighted share of the
members that prefer response 1 (a tie counts half; PoLL: Verga et al. 2024), `learned` the logistic
regression Σ w_m z_m whose weights were fitted to people's verdicts when the run was started
(`judges.learning`) and are part of its version. A member without a verdict is left out and named; a jury of
which more than half are silent fails.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from judges.items import Item, Limits, Question
from judges.methods import METHODS, Method, Steps
from judges.methods.bounds import among
from judges.methods.pointwise import EVERY_TASK
from judges.requests import NOTHING, Answer, Request
from judges.verdicts import Failed, Outcome, Verdict, logit, on_scale, pair_value, ranks, sigmoid


@dataclass(frozen=True, slots=True)
class Member:
    """A juror: its method with parameters; its requests go to the backends `NAME` or `NAME.ROLE`."""

    name: str
    methods: Mapping[str, Mapping[str, object]]  # task type -> {"name", "parameters"}
    weight: float = 1.0

    def method_for(self, task_type: str) -> Method | None:
        spec = self.methods.get(task_type)
        if spec is None:
            return None
        parameters = spec.get("parameters") or {}
        made: Method = METHODS.load(str(spec["name"]))(**parameters)  # type: ignore[arg-type]
        return made


@dataclass(frozen=True, slots=True)
class Jury:
    """Several judges, one verdict; see the module's first lines."""

    name: ClassVar[str] = "jury"
    task_types: ClassVar[frozenset[str]] = EVERY_TASK

    members: tuple[Member, ...] = field(default=())
    combine: str = "mean"  # or "vote", "learned"

    def __post_init__(self) -> None:
        among(self, combine=("mean", "vote", "learned"))
        made = tuple(one if isinstance(one, Member) else Member(**one) for one in self.members)
        object.__setattr__(self, "members", made)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def prompt_text(self, question: Question) -> str:
        """Every member's prompt, one below the other."""
        parts = [(one.name, one.method_for(question.task_type)) for one in self.members]
        return "\n\n".join(f"[{name}]\n{method.prompt_text(question)}" for name, method in parts if method)

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """Ask the members side by side, then combine what they said."""
        asked = [(one, method) for one in self.members if (method := one.method_for(question.task_type))]
        outcomes = yield from side_by_side(
            [for_role(method.steps(item, question, limits), one.name) for one, method in asked]
        )
        heard = [(one, said) for (one, _), said in zip(asked, outcomes, strict=True) if spoke(said)]
        usage = sum((outcome.usage for said in outcomes for outcome in said), NOTHING)
        if 2 * len(heard) < max(len(self.members), 1):
            return [Failed(f"{len(heard)} of {len(self.members)} jurors gave a verdict", usage=usage)]
        weights = np.array([one.weight for one, _ in heard], dtype=float)
        voices = [said for _, said in heard]
        detail: dict[str, object] = {
            "jurors": {one.name: opinion(said, question) for one, said in heard},
            "weights": [round(float(w), 6) for w in weights],
            "silent": [
                one.name for one in self.members if one.name not in {other.name for other, _ in heard}
            ],
        }
        value = self._value(voices, weights, question)
        return [Verdict(value=value, detail=detail, usage=usage)]

    def _value(
        self, voices: Sequence[Sequence[Outcome]], weights: np.ndarray, question: Question
    ) -> dict[str, object]:
        if question.task_type == "rating":
            ratings = np.array([rated(said) for said in voices])  # (M, n)
            return {
                "ratings": {
                    str(i): on_scale(float(score), question)
                    for i, score in enumerate(np.average(ratings, axis=0, weights=np.abs(weights)))
                }
            }
        if question.task_type == "ranking":
            # (M, n): Borda, fewer is better
            places = np.array([ranked(said) for said in voices], dtype=float)
            return {
                "ranks": ranks(list(-np.average(places, axis=0, weights=np.abs(weights))), ties=question.ties)
            }
        return self._pair(np.array([odds(said) for said in voices]), weights, question)

    def _pair(self, z: np.ndarray, weights: np.ndarray, question: Question) -> dict[str, object]:
        if self.combine == "vote":
            share = float(np.average((np.sign(z) + 1) / 2, weights=weights))
            return pair_value(share, question)
        if self.combine == "learned":
            return pair_value(sigmoid(float(weights @ z)), question)
        return pair_value(sigmoid(float(np.average(z, weights=weights))), question)


# ---------------------------------------------------------------- members side by side


def for_role(steps: Steps, member: str) -> Steps:
    """`steps` whose requests go to the member's own backends: `judge` becomes NAME, other roles NAME.ROLE."""
    answers: Sequence[Answer] | None = None
    while True:
        try:
            requests = next(steps) if answers is None else steps.send(answers)
        except StopIteration as stop:
            return list(stop.value)
        answers = yield [replace(one, role=member_role(member, one.role)) for one in requests]


def member_role(member: str, role: str) -> str:
    return member if role == "judge" else f"{member}.{role}"


def side_by_side(
    works: Sequence[Steps],
) -> Generator[Sequence[Request], Sequence[Answer], list[list[Outcome]]]:
    """Run generators in step: each round's requests of all of them go out together."""
    outcomes: list[list[Outcome]] = [[] for _ in works]
    inbox: dict[int, Sequence[Answer] | None] = dict.fromkeys(range(len(works)))
    while inbox:
        sent: dict[int, Sequence[Request]] = {}
        for index, answers in inbox.items():
            try:
                sent[index] = next(works[index]) if answers is None else works[index].send(answers)
            except StopIteration as stop:
                outcomes[index] = list(stop.value)
        if not sent:
            break
        flat = yield [request for requests in sent.values() for request in requests]
        inbox, rest = {}, list(flat)
        for index, requests in sent.items():
            inbox[index], rest = rest[: len(requests)], rest[len(requests) :]
    return outcomes


# ---------------------------------------------------------------- what a member said


def spoke(said: Sequence[Outcome]) -> bool:
    return bool(said) and all(isinstance(outcome, Verdict) for outcome in said)


def odds(said: Sequence[Outcome]) -> float:
    """A member's log-odds that response 1 is better: averaged over its orders where it has several."""
    first = said[0]
    assert isinstance(first, Verdict)
    averaged = first.detail.get("averaged_log_odds")
    if isinstance(averaged, float):
        return averaged
    return logit(float(first.value["probability"]))  # type: ignore[arg-type]


def rated(said: Sequence[Outcome]) -> list[float]:
    """A member's ratings in the responses' order, unrounded where it kept them."""
    first = said[0]
    assert isinstance(first, Verdict)
    expected = first.detail.get("expected")
    if isinstance(expected, list):
        return [float(score) for score in expected]
    ratings = first.value["ratings"]
    assert isinstance(ratings, dict)
    return [float(ratings[key]) for key in sorted(ratings, key=int)]


def ranked(said: Sequence[Outcome]) -> list[int]:
    first = said[0]
    assert isinstance(first, Verdict)
    places = first.value["ranks"]
    assert isinstance(places, list)
    return places


def opinion(said: Sequence[Outcome], question: Question) -> object:
    """A member's word for the label's detail."""
    if question.task_type == "pairwise":
        return round(odds(said), 6)
    return rated(said) if question.task_type == "rating" else ranked(said)
