"""Backends: what answers. Only dotted strings stand here, so that no web process ever imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from judges.items import Limits
from judges.requests import (
    Answer,
    CheckRequest,
    GenerateRequest,
    LabelRequest,
    LikelihoodRequest,
    Request,
    RewardRequest,
    UtilityRequest,
)
from web.registry import Registry

BACKENDS = Registry(
    "judge backend",
    {
        "length": "judges.backends.length:LengthBackend",
        "transformers": "judges.backends.transformers:TransformersBackend",
        "vision-language": "judges.backends.vision_language:VisionLanguageBackend",
        "probe": "judges.backends.probe:ProbeBackend",
        "reward-model": "judges.backends.reward_model:RewardModelBackend",
        "openai-compatible": "judges.backends.openai_compatible:OpenAICompatibleBackend",
        "llama.cpp": "judges.backends.llama_cpp:LlamaCppBackend",
        "checks": "judges.backends.checks:ChecksBackend",
    },
)


@dataclass(frozen=True, slots=True)
class Answers:
    """What a backend can answer, and whether it takes images: known without loading it."""

    requests: frozenset[type]
    sees: bool = False


ANSWERS = {
    "transformers": Answers(frozenset({LabelRequest, LikelihoodRequest, GenerateRequest})),
    "vision-language": Answers(frozenset({LabelRequest, GenerateRequest}), sees=True),
    "probe": Answers(frozenset({UtilityRequest})),
    "reward-model": Answers(frozenset({RewardRequest})),
    "openai-compatible": Answers(frozenset({LabelRequest, LikelihoodRequest, GenerateRequest}), sees=True),
    "llama.cpp": Answers(frozenset({LabelRequest, GenerateRequest})),
    "checks": Answers(frozenset({CheckRequest})),
    "length": Answers(frozenset({LabelRequest})),
}


class Backend(Protocol):
    """What every entry of BACKENDS is: made with keyword options, then asked in batches."""

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """One answer a request, in their order; a Failure where none could be had."""
        ...

    def limits(self) -> Limits:
        """What the model can read."""
        ...

    def identity(self) -> str:
        """The model with its revision, for the frozen version and the cache."""
        ...

    def warm_up(self) -> None:
        """Pay the first pass's cost before the clock starts."""
        ...
