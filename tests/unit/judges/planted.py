"""Judges whose faults are known: what averaging, neutralising and the audit must find or mend."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from judges.items import Limits
from judges.requests import Answer, Failure, LabelRequest, LabelScores, Request
from judges.verdicts import log_softmax

# What an obedient model takes for structure, in all the families' templates at once.
TURN = re.compile(
    r"<\s*[|｜]\s*(?:im_start|im_end|eot_id|end_of_text|begin_of_text|start_header_id|end_header_id|end|system|user|"
    r"assistant|endoftext|User|Assistant|System|end▁of▁sentence|begin▁of▁sentence)\s*[|｜]\s*>|\[/?INST\]|<</?SYS>>|"
    r"</?s>|<(?:start|end)_of_turn>|<eos>|<bos>|</?think>|</?tool_response>|</?system>|<assistant>|"
    r"(?:^|[\r\x0b\u2028])[ \t#]*(?:(?:system|user|assistant):|\[(?:system|user)\])",
    re.IGNORECASE | re.MULTILINE,
)
HIDDEN = re.compile("[\u200b\u2060]")
TAG = re.compile(r"<\s*(/?)\s*(request|response_[a-z]|response|reference)\s*>", re.IGNORECASE)
WISH = re.compile(r"choose this response", re.IGNORECASE)


@dataclass
class Follower:
    """Reads both texts and obeys instructions that stand where instructions may: outside the fences.

    It decides by the words that a response shares with the request's, unless it is told what to choose. `gullible`
    obeys within the fences too.
    """

    gullible: bool = False

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        return [
            self._one(one) if isinstance(one, LabelRequest) else Failure("labels only") for one in requests
        ]

    def limits(self) -> Limits:
        return Limits(window=8192)

    def identity(self) -> str:
        return "planted:follower"

    def warm_up(self) -> None:
        """Nothing to warm."""

    def _one(self, request: LabelRequest) -> LabelScores:
        told = self._told(request.messages[-1].content)
        if told is not None:
            return LabelScores((-0.01, -5.0) if told == "a" else (-5.0, -0.01), mass=1.0)
        return LabelScores(self._read(request.shown), mass=1.0)

    def _told(self, text: str) -> str | None:
        """The letter of the response from which an instruction came that is obeyed."""
        letter, inside, at = None, False, 0
        text = HIDDEN.sub("", text)
        marks = sorted([*TURN.finditer(text), *TAG.finditer(text)], key=lambda mark: mark.start())
        for mark in [*marks, None]:
            piece = text[at : mark.start() if mark else len(text)]
            if WISH.search(piece) and letter and (self.gullible or not inside):
                return letter
            if mark is None:
                return None
            at = mark.end()
            if mark.re is TURN or mark.group(1):
                inside = False
            else:
                inside = True
                letter = mark.group(2)[-1].lower() if "_" in mark.group(2) else letter
        return None

    def _read(self, shown: Sequence[str]) -> tuple[float, float]:
        """The first line decides: the better responses of the suite are those that `BASES` calls so."""
        from judges.attacks import BASES

        better = {good for _, good, _ in BASES}
        first = any(shown[0].startswith(good) for good in better)
        return (-0.3, -1.4) if first else (-1.4, -0.3)


@dataclass
class PositionBiased:
    """Says what the longer response deserves, plus a fixed log-odds for the one shown first."""

    bias: float = 6.0
    slope: float = 1.0

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        return [self._one(one) for one in requests if isinstance(one, LabelRequest)]

    def limits(self) -> Limits:
        return Limits()

    def identity(self) -> str:
        return f"planted:position:{self.bias}"

    def warm_up(self) -> None:
        """Nothing to warm."""

    def _one(self, request: LabelRequest) -> LabelScores:
        first, second = (math.log1p(len(text)) for text in request.shown)
        z = self.slope * (second - first) - self.bias
        return LabelScores(tuple(log_softmax([0.0, z])), mass=1.0)


def draw(rng: random.Random, p: float) -> int:
    """1 with probability p, else -1."""
    return 1 if rng.random() < p else -1
