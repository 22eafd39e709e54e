"""Verifier: outcomes instead of opinions: unit tests, exact and numeric answers, schemas, tool calls.

What a response is held against stands with the instance, in its metadata: `tests` (Python source with
assertions) or `test_list`, `answer` (with `answer_type` numeric or exact), `schema` (JSON Schema),
`tool_call` (name and arguments); else its reference answer, exactly. Of a response of several turns the last
words are checked, or its calls, among which the expected one has to be. A response's score is the share of its
checks that passed; a pair's probability is that share's difference moved to ½ ± ½, since a check leaves no
doubt of its own but says nothing between equals.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import ClassVar

from judges.items import Item, Limits, Question
from judges.methods import Steps, failure
from judges.methods.bounds import among, within
from judges.methods.pointwise import EVERY_TASK
from judges.requests import Checked, CheckRequest, usage_of
from judges.verdicts import Failed, Verdict, on_scale, pair_value, ranks
from ledger.trajectories import CALL

KINDS = ("unit_tests", "numeric", "exact", "json_schema", "tool_call")
SURE = 0.98  # the probability at a full difference of shares: a check can be wrong too


@dataclass(frozen=True, slots=True)
class Verifier:
    """Runs the instance's check on each response."""

    name: ClassVar[str] = "verifier"
    task_types: ClassVar[frozenset[str]] = EVERY_TASK
    roles: ClassVar[tuple[str, ...]] = ("checker",)

    kind: str = ""  # unit_tests, numeric, exact, json_schema, tool_call; empty: what the instance carries
    seconds: float = 10.0
    megabytes: int = 512
    tolerance: float = 1e-6

    def __post_init__(self) -> None:
        among(self, kind=("", *KINDS))
        within(self, seconds=(0.1, 600), megabytes=(64, 65_536), tolerance=(0, 1))

    def prompt_text(self, question: Question) -> str:
        """Nothing is asked of a model."""
        return f"Outcome check {self.kind or 'as carried'}, {self.seconds:g} s, {self.megabytes} MB."

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """One check a response; an instance without anything to check is a failure, not a tie."""
        check = check_of(item, self.kind)
        if check is None:
            return [Failed("the instance carries nothing to check a response against")]
        kind, facts = check
        bounds = {"seconds": self.seconds, "megabytes": self.megabytes, "tolerance": self.tolerance}
        body = json.dumps({**facts, **bounds}, sort_keys=True)
        everyone = range(len(item.responses))
        answers = yield [CheckRequest(kind, checked(item, index, kind), body) for index in everyone]
        bad = next((answer for answer in answers if not isinstance(answer, Checked)), None)
        if bad is not None:
            return [failure(bad, answers)]
        seen = [answer for answer in answers if isinstance(answer, Checked)]
        shares = [answer.share for answer in seen]
        detail = {
            "check": kind,
            "shares": [round(share, 6) for share in shares],
            "checks": [answer.total for answer in seen],
        }
        rationale = "\n".join(f"Response {at}: {answer.seen}" for at, answer in enumerate(seen, start=1))
        value = value_of(shares, question)
        return [Verdict(value=value, detail=detail, rationale=rationale, usage=usage_of(answers))]


def checked(item: Item, index: int, kind: str) -> str:
    """What of a response is checked: its text; where it has several turns, the last words or, for a tool call,
    all calls as a JSON list.
    """
    turns = item.turns_of(index)
    if not turns:
        return item.responses[index]
    if kind == "tool_call":
        calls = (
            f'{{"name": {json.dumps(one.tool)}, "arguments": {one.text}}}'
            for one in turns
            if one.role == CALL
        )
        return f"[{', '.join(calls)}]"
    return next((one.text for one in reversed(turns) if one.role == "assistant"), "")


def value_of(shares: list[float], question: Question) -> dict[str, object]:
    """Shares of passed checks as the task type stores them."""
    if question.task_type == "rating":
        wide = question.high - question.low
        return {
            "ratings": {str(i): on_scale(question.low + wide * s, question) for i, s in enumerate(shares)}
        }
    if question.task_type == "ranking":
        return {"ranks": ranks(shares, ties=question.ties)}
    return pair_value(0.5 + (SURE - 0.5) * (shares[1] - shares[0]), question)


def check_of(item: Item, kind: str) -> tuple[str, dict[str, object]] | None:
    """The check's kind and what it is held against, by what the instance carries."""
    data = item.metadata
    tests = data.get("tests") or data.get("test_list") or data.get("test")
    found: dict[str, dict[str, object]] = {}
    if tests:
        found["unit_tests"] = {
            "tests": [str(one) for one in tests] if isinstance(tests, list) else [str(tests)]
        }
    if data.get("schema"):
        found["json_schema"] = {"schema": data["schema"]}
    if data.get("tool_call"):
        found["tool_call"] = {"call": data["tool_call"]}
    answer = data.get("answer", item.reference or None)
    if answer is not None:
        numeric = data.get("answer_type") == "numeric" or kind == "numeric"
        found["numeric" if numeric else "exact"] = {"answer": str(answer)}
    if kind:
        return (kind, found[kind]) if kind in found else None
    return next(iter(found.items()), None)
