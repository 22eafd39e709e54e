"""The honest baseline: the longer response is better, by log2 of the ratio of the lengths in characters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from judges.items import Limits
from judges.requests import Answer, Failure, LabelRequest, LabelScores, Request, RewardRequest, Rewards, Usage
from judges.verdicts import log_softmax


@dataclass(frozen=True, slots=True)
class LengthBackend:
    """Answers verdict labels and rewards by length alone; also the stand-in for a model in tests."""

    model: str = "characters"

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._one(request) for request in requests]

    def limits(self) -> Limits:
        return Limits(window=1 << 20)

    def identity(self) -> str:
        return "length:1"

    def warm_up(self) -> None:
        """Nothing to warm."""

    def _one(self, request: Request) -> Answer:
        if isinstance(request, RewardRequest):
            return Rewards((bits(request.messages[-1].content),))
        if not isinstance(request, LabelRequest) or not request.shown:
            return Failure(f"the length backend cannot answer {type(request).__name__}")
        if len(request.shown) == 1:
            return self._grade(request)
        return LabelScores(self._compare(request), mass=1.0, usage=Usage(attempts=1))

    def _compare(self, request: LabelRequest) -> tuple[float, ...]:
        """Log-probabilities of A and B: odds are the squared ratio of the lengths; a Tie label only at
        equality.
        """
        first, second = map(bits, request.shown)
        tie = [0.0 if first == second else -50.0] if len(request.labels) == 3 else []
        return tuple(log_softmax([2 * first, 2 * second, *tie]))

    def _grade(self, request: LabelRequest) -> LabelScores:
        """A level of the scale by length: the lowest up to 16 characters, one more for each two doublings."""
        level = min(max(int((bits(request.shown[0]) / math.log(2) - 4) / 2), 0), len(request.labels) - 1)
        return LabelScores(tuple(0.0 if i == level else -50.0 for i in range(len(request.labels))), mass=1.0)


def bits(text: str) -> float:
    """log(1 + characters), in nats."""
    return math.log1p(len(text))
