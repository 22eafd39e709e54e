"""Density ratio: the log-likelihood ratio of a stronger and a weaker model, with criteria in the prompt.

score(y) = log p_strong(y | c, x) - log p_weak(y | x), where c are the aspect's criteria and exemplars (Xu et
al. 2024, CDR: Customizable Density Ratios of Strong-over-weak LLMs, arXiv 2411.02481). Where one model plays
both roles, the ratio is what the criteria change. `per_token` divides by the response's tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from judges.items import Item, Limits, Question
from judges.methods import Steps, failure
from judges.methods.bounds import SOME, within
from judges.methods.pointwise import BLIND, EVERY_TASK, chat_before, scored, words_of
from judges.prompting import asked
from judges.requests import Likelihood, LikelihoodRequest
from judges.rubrics import rubric_for
from judges.safety import neutralise

GUIDE = "Write the best possible answer. What counts: {criterion}"
EXEMPLAR = "An example of a good answer:\nRequest: {prompt}\nAnswer: {chosen}"


@dataclass(frozen=True, slots=True)
class DensityRatio:
    """Scores by how much more likely the stronger model finds a response; see the module's first lines."""

    name: ClassVar[str] = "density-ratio"
    task_types: ClassVar[frozenset[str]] = EVERY_TASK

    strong: str = "judge"
    weak: str = "judge"
    per_token: bool = True
    scale: float = 1.0  # log-odds a nat
    criteria: str = ""  # in place of the aspect's own
    exemplars: tuple[tuple[str, str], ...] = ()  # (request, good answer)

    def __post_init__(self) -> None:
        within(self, scale=SOME)

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.strong, self.weak)))

    def prompt_text(self, question: Question) -> str:
        """What the stronger model is told; the weaker is told nothing."""
        return self._guide(question)

    def steps(self, item: Item, question: Question, limits: Limits) -> Steps:
        """Two likelihoods a response."""
        guided, plain = chat_before(item, system=self._guide(question)), chat_before(item)
        if any(item.pictures):
            return [BLIND]
        texts = words_of(item)
        answers = yield [
            request
            for text in texts
            for request in (
                LikelihoodRequest(guided, text, role=self.strong),
                LikelihoodRequest(plain, text, role=self.weak),
            )
        ]
        bad = next((answer for answer in answers if not isinstance(answer, Likelihood)), None)
        if bad is not None:
            return [failure(bad, answers)]
        pairs = [
            (s, w)
            for s, w in zip(answers[::2], answers[1::2], strict=True)
            if isinstance(s, Likelihood) and isinstance(w, Likelihood)
        ]
        ratios = [self._ratio(strong, weak) for strong, weak in pairs]
        detail = {
            "strong": [round(s.total, 4) for s, _ in pairs],
            "weak": [round(w.total, 4) for _, w in pairs],
        }
        return [scored([self.scale * ratio for ratio in ratios], question, answers, detail=detail)]

    def _ratio(self, strong: Likelihood, weak: Likelihood) -> float:
        """Models may cut a text into different tokens, so each is divided by its own count."""
        return strong.mean - weak.mean if self.per_token else strong.total - weak.total

    def _guide(self, question: Question) -> str:
        rubric = rubric_for(question.aspect, text=question.text, levels=tuple(question.descriptions))
        criterion = self.criteria or f"{asked(question)} {rubric.criterion}"
        return "\n\n".join([GUIDE.format(criterion=criterion), *_shown(self.exemplars)])


def _shown(exemplars: Sequence[Sequence[str]]) -> list[str]:
    return [EXEMPLAR.format(prompt=neutralise(p).text, chosen=neutralise(c).text) for p, c in exemplars]
