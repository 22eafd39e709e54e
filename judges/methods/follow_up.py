"""Follow-up likelihood: would a pleased or a displeased person answer this response?

score(y) = mean over pleased f of log p(f | x, y) / |f| - mean over displeased f of the same, where f is the
user's next turn after the response (Zhang et al. 2024, Aligning Language Models Using Follow-up Likelihood as
Reward Signal, arXiv 2409.13948).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from judges.items import Item, Limits, Question
from judges.methods import Steps, failure
from judges.methods.bounds import SOME, within
from judges.methods.pointwise import EVERY_TASK, chat_with, scored
from judges.requests import Likelihood, LikelihoodRequest
from web.problems import Invalid

PLEASED = (
    "That is great, thank you!",
    "Thanks, that is exactly what I needed.",
    "You really understood my question.",
    "That makes sense. What should I do next?",
    "Wow, very helpful. I learnt something.",
)
DISPLEASED = (
    "That is wrong.",
    "You did not answer my question.",
    "That makes no sense. Try again.",
    "Why did you write that? I asked for something else.",
    "That is not helpful at all.",
)


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Scores by the likelihood of pleased against displeased next turns."""

    name: ClassVar[str] = "follow-up"
    task_types: ClassVar[frozenset[str]] = EVERY_TASK
    roles: ClassVar[tuple[str, ...]] = ("judge",)

    pleased: tuple[str, ...] = PLEASED
    displeased: tuple[str, ...] = DISPLEASED
    scale: float = 1.0  # log-odds a nat a token

    def __post_init__(self) -> None:
        within(self, scale=SOME)
        if not (self.pleased and self.displeased):
            raise Invalid("Name at least one pleased and one displeased next turn.")

    def prompt_text(self, question: Question) -> str:
        """The follow-up turns."""
        return "Pleased:\n" + "\n".join(self.pleased) + "\n\nDispleased:\n" + "\n".join(self.displeased)

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """One likelihood for each response and follow-up; they share the whole chat before it."""
        chats = [chat_with(item, index) for index in range(len(item.responses))]
        turns = [*self.pleased, *self.displeased]
        answers = yield [LikelihoodRequest(chat, turn, speaker="user") for chat in chats for turn in turns]
        bad = next((answer for answer in answers if not isinstance(answer, Likelihood)), None)
        if bad is not None:
            return [failure(bad, answers)]
        means = np.array([a.mean for a in answers if isinstance(a, Likelihood)]).reshape(
            len(chats), len(turns)
        )
        good, ill = means[:, : len(self.pleased)], means[:, len(self.pleased) :]
        rewards = good.mean(axis=1) - ill.mean(axis=1)  # (n,)
        detail = {"pleased": np.round(good, 5).tolist(), "displeased": np.round(ill, 5).tolist()}
        return [scored([self.scale * float(r) for r in rewards], question, answers, detail=detail)]
