"""Backends: what answers. Only dotted strings stand here, so that no web process ever imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from judges.items import Limits
from judges.requests import Answer, Request
from web.registry import Registry

BACKENDS = Registry(
    "judge backend",
    {
        "length": "judges.backends.length:LengthBackend",
        "transformers": "judges.backends.transformers:TransformersBackend",
        "probe": "judges.backends.probe:ProbeBackend",
        "reward-model": "judges.backends.reward_model:RewardModelBackend",
        "openai-compatible": "judges.backends.openai_compatible:OpenAICompatibleBackend",
        "llama.cpp": "judges.backends.llama_cpp:LlamaCppBackend",
        "checks": "judges.backends.checks:ChecksBackend",
    },
)


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
