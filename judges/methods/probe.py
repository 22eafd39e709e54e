"""Probe: the verdict of a Bradley-Terry head that learnt from the project's own people (`quality.probe`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from judges.items import Item, Limits, Question
from judges.methods import Steps, failure
from judges.requests import Utilities, UtilityRequest
from judges.verdicts import Verdict, on_scale, ranks, scored_value


@dataclass(frozen=True, slots=True)
class Probe:
    """One verdict an instance, without an order: a head has no position bias."""

    name: ClassVar[str] = "probe"
    task_types: ClassVar[frozenset[str]] = frozenset({"pairwise", "ranking", "rating"})
    roles: ClassVar[tuple[str, ...]] = ("judge",)

    def prompt_text(self, question: Question) -> str:
        """There is no prompt; what is learnt, from which labels."""
        return f"Bradley-Terry head for {question.aspect}, fitted to people's labels, five folds by prompt."

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """Ask for the utilities; a pair's probability is the spread-weighted logistic of their difference."""
        (answer,) = yield [UtilityRequest(item.id, question.aspect, item=item if item.id < 0 else None)]
        if not isinstance(answer, Utilities):
            return [failure(answer, [answer])]
        detail = {
            "utilities": [round(u, 6) for u in answer.values],
            "spread": round(answer.spread, 6),
            "learnt_from": answer.learnt_from,
        }
        return [Verdict(value=value_of(answer, question), detail=detail, usage=answer.usage)]


def value_of(answer: Utilities, question: Question) -> dict[str, object]:
    """The utilities as the task type stores them; ratings by the line fitted to people's."""
    if question.task_type == "rating":
        intercept, slope = answer.line
        return {
            "ratings": {
                str(i): on_scale(intercept + slope * u, question) for i, u in enumerate(answer.values)
            }
        }
    if question.task_type == "ranking":
        return {"ranks": ranks(answer.values, ties=question.ties)}
    return scored_value(answer.values, question, spread=(answer.spread,))
