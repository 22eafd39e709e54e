"""A real small model for the judges' tests, loaded once: the backend in f32, and the plain model beside it."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from django.conf import settings

from judges.backends.transformers import TransformersBackend
from judges.items import Item, Message


@pytest.fixture(scope="session")
def smollm2(weights: Path) -> TransformersBackend:
    """SmolLM2-135M-Instruct in f32, so that a test may ask for equality to many digits."""
    return TransformersBackend(
        model="bundled:smollm2",
        models_dir=weights,
        cache_dir=settings.MODELS_CACHE,
        device="cpu",
        dtype="float32",
        threads=1,
    )


class Plain:
    """The same weights as a user would call them: one text, full logits, no cache."""

    def __init__(self, backend: TransformersBackend) -> None:
        self.tokenizer, self.model = backend.tokenizer, backend.model

    @torch.inference_mode()
    def logprobs(self, text: str) -> torch.Tensor:
        """log p of every token at every position of `text` (T, V)."""
        ids = self.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
        return torch.log_softmax(self.model(ids, use_cache=False).logits[0].double(), -1)

    def next(self, text: str, continuations: Sequence[str]) -> list[float]:
        """log p of the first token of each continuation after `text`."""
        last = self.logprobs(text)[-1]
        return [
            float(last[self.tokenizer(one, add_special_tokens=False)["input_ids"][0]])
            for one in continuations
        ]

    def likelihood(self, before: str, continuation: str) -> float:
        """log p(continuation | before), summed over its tokens."""
        head = self.tokenizer(before, add_special_tokens=False)["input_ids"]
        tail = self.tokenizer(continuation, add_special_tokens=False)["input_ids"]
        with torch.inference_mode():
            rows = torch.log_softmax(
                self.model(torch.tensor([head + tail]), use_cache=False).logits[0].double(), -1
            )
        return float(sum(rows[len(head) - 1 + at, token] for at, token in enumerate(tail)))

    def chat(self, *turns: tuple[str, str], open_for: str = "assistant") -> str:
        """ChatML by hand: the independent rendering."""
        body = "".join(f"<|im_start|>{role}\n{content}<|im_end|>\n" for role, content in turns)
        return f"{body}<|im_start|>{open_for}\n"


@pytest.fixture(scope="session")
def plain(smollm2: TransformersBackend) -> Plain:
    return Plain(smollm2)


@pytest.fixture
def pair() -> Item:
    """A short pair."""
    return Item(
        id=7,
        prompt=(Message("user", "What is the capital of France?"),),
        responses=("It is Paris.", "I think that it may be Lyon, but I am not sure."),
    )
