"""Implicit reward: beta times the log-ratio of a tuned model and its reference.

r(x, y) = beta (log p_tuned(y | x) - log p_reference(y | x)) up to a constant in x, which a difference of
responses cancels (Rafailov et al. 2023, DPO, eq. 5), so P(1 preferred) = σ(r1 - r0) (eq. 6). Without a
reference it is the model's own log-likelihood a token that ranks the responses (`own`): a model's own logits
as preference, as Selfie does, and SimPO (Meng et al. 2024) in training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from judges.items import Item, Limits, Question
from judges.methods import Steps, failure
from judges.methods.bounds import SOME, within
from judges.methods.pointwise import BLIND, EVERY_TASK, chat_before, scored, words_of
from judges.requests import Likelihood, LikelihoodRequest


@dataclass(frozen=True, slots=True)
class ImplicitReward:
    """Scores by likelihood alone; see the module's first lines."""

    name: ClassVar[str] = "implicit-reward"
    task_types: ClassVar[frozenset[str]] = EVERY_TASK

    beta: float = 0.1
    tuned: str = "judge"
    reference: str = "reference"
    own: bool = False  # no reference: beta times the mean log-likelihood a token

    def __post_init__(self) -> None:
        within(self, beta=SOME)

    @property
    def roles(self) -> tuple[str, ...]:
        return (self.tuned,) if self.own else (self.tuned, self.reference)

    def prompt_text(self, question: Question) -> str:
        """Nothing is asked."""
        return "The conversation alone; the response's likelihood is read."

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """One likelihood a response and model."""
        if any(item.pictures):
            return [BLIND]
        chat, texts = chat_before(item), words_of(item)
        answers = yield [LikelihoodRequest(chat, text, role=role) for role in self.roles for text in texts]
        bad = next((answer for answer in answers if not isinstance(answer, Likelihood)), None)
        if bad is not None:
            return [failure(bad, answers)]
        seen = [answer for answer in answers if isinstance(answer, Likelihood)]
        tuned, reference = seen[: len(texts)], seen[len(texts) :]
        if self.own:
            rewards = [self.beta * one.mean for one in tuned]
        else:
            rewards = [self.beta * (t.total - r.total) for t, r in zip(tuned, reference, strict=True)]
        detail = {
            "tuned": [round(one.total, 4) for one in tuned],
            "reference": [round(one.total, 4) for one in reference],
            "tokens": [one.tokens for one in tuned],
        }
        return [scored(rewards, question, answers, detail=detail)]
