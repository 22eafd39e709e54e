"""Reward model: a scalar for each response; an ensemble or dropout masks give strength and spread.

Under Bradley and Terry P(1 preferred) = σ(r1 - r0). With K members (models of the ensemble, or masks of
Monte Carlo dropout, Gal and Ghahramani 2016) the pair's probability is the mean over the members of σ((r1 -
r0) / temperature), its spread the standard deviation of the differences, and `votes` the share of the
members that prefer 1 (Wang et al. 2024, Secrets of RLHF II, section 2: preference strength by an ensemble).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from judges.items import Item, Limits, Question
from judges.methods import Steps, failure
from judges.methods.bounds import SOME, within
from judges.methods.pointwise import EVERY_TASK, chat_with
from judges.requests import Answer, RewardRequest, Rewards, usage_of
from judges.verdicts import Floats, Verdict, pair_value, ranks, rescaled, sigmoid


@dataclass(frozen=True, slots=True)
class Reward:
    """Scores by one reward model, or by several: one role each in `members`."""

    name: ClassVar[str] = "reward"
    task_types: ClassVar[frozenset[str]] = EVERY_TASK

    members: tuple[str, ...] = ("judge",)
    samples: int = 0  # dropout masks a model; 0: one pass without dropout
    temperature: float = 1.0
    voting: bool = False  # a pair's probability is the share of votes instead

    def __post_init__(self) -> None:
        within(self, samples=(0, 256), temperature=SOME)

    @property
    def roles(self) -> tuple[str, ...]:
        return self.members

    def prompt_text(self, question: Question) -> str:
        """A reward model reads the chat alone."""
        return "The conversation with the response as the assistant's turn, in the model's own chat template."

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """Ask every member about every response."""
        answers = yield [
            RewardRequest(chat_with(item, index), samples=self.samples, seed=item.id, role=role)
            for index in range(len(item.responses))
            for role in self.members
        ]
        bad = next((answer for answer in answers if not isinstance(answer, Rewards)), None)
        if bad is not None:
            return [failure(bad, answers)]
        return [self._verdict(table(answers, len(item.responses)), question, answers)]

    def _verdict(self, rewards: Floats, question: Question, answers: Sequence[Answer]) -> Verdict:
        """From rewards (n, K) to the task type's value."""
        mean = rewards.mean(axis=1)
        detail: dict[str, object] = {"rewards": np.round(mean, 6).tolist(), "members": rewards.shape[1]}
        if question.task_type == "ranking":
            value: dict[str, object] = {"ranks": ranks(list(mean), ties=question.ties)}
        elif question.task_type == "rating":
            value = {"ratings": rescaled(list(mean / self.temperature), question)}
        else:
            differences = (rewards[1] - rewards[0]) / self.temperature  # (K,)
            votes = float(np.mean((np.sign(differences) + 1) / 2))
            probability = votes if self.voting else float(np.mean([sigmoid(d) for d in differences]))
            value = pair_value(probability, question)
            detail |= {
                "strength": round(float(differences.mean()), 6),
                "spread": round(float(differences.std()), 6),
                "votes": round(votes, 6),
            }
        return Verdict(value=value, detail=detail, usage=usage_of(answers))


def table(answers: Sequence[Answer], n: int) -> Floats:
    """Rewards by response and member (n, K), each model's samples side by side."""
    rows = [answer.values for answer in answers if isinstance(answer, Rewards)]
    per = len(rows) // n
    return np.array([[value for row in rows[i * per : (i + 1) * per] for value in row] for i in range(n)])
