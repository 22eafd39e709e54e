"""Representations of instances: computed by judge workers, stored in the ledger, read as arrays.

`of_instances` computes what is missing and so runs in workers only; `stored` reads alone and is safe
anywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from judges.items import Item
from judges.prompting import conversation
from ledger.representations import read_vectors, store_vectors
from web.registry import Registry

Floats32 = NDArray[np.float32]
SEPARATOR = "\x1e"
AT_ONCE = 256  # texts encoded between two writes, so that a kill loses little

ENCODERS = Registry(
    "encoder",
    {
        "minilm": "judges.encoders:SentenceEncoder",
        "smollm2": "judges.encoders:MiddleStates",
    },
)
# What a stored vector depends on; change it with the encoder's model, cut or pooling.
STORED_AS = {
    "minilm": "all-MiniLM-L6-v2:mean:256",
    "smollm2": "SmolLM2-135M-Instruct:layer15:mean+last:96+224",
}


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """The vectors of some items: `prompts` (N, E) and for each item its responses' (n_i, E)."""

    prompts: Floats32
    responses: tuple[Floats32, ...]


def texts_of(item: Item, encoder: str) -> tuple[str, list[str]]:
    """The text that stands for the prompt, and one a response."""
    prompt = conversation(item)
    if encoder == "smollm2":
        return SEPARATOR + prompt, [prompt + SEPARATOR + response for response in item.responses]
    return prompt, list(item.responses)


def of_items(items: Sequence[Item], encoder: str) -> Vectors:
    """The items' vectors, missing ones computed and stored first."""
    wanted = [texts_of(item, encoder) for item in items]
    texts = [text for prompt, responses in wanted for text in (prompt, *responses)]
    ensure(texts, encoder)
    vectors, _ = read_vectors(STORED_AS[encoder], texts)
    return _split(vectors, [len(responses) for _, responses in wanted])


def ensure(texts: Sequence[str], encoder: str) -> int:
    """Compute and store the vectors that are missing; how many there were."""
    distinct = list(dict.fromkeys(texts))
    _, known = read_vectors(STORED_AS[encoder], distinct)
    missing = [text for text, there in zip(distinct, known, strict=True) if not there]
    for at in range(0, len(missing), AT_ONCE):
        part = missing[at : at + AT_ONCE]
        store_vectors(STORED_AS[encoder], part, loaded_encoder(encoder).encode(part))
    return len(missing)


@lru_cache(maxsize=2)
def loaded_encoder(name: str) -> Any:
    """The encoder, loaded once a process."""
    return ENCODERS.load(name)(models_dir=settings.MODELS_DIR, cache_dir=settings.MODELS_CACHE)


def _split(vectors: Floats32, counts: Sequence[int]) -> Vectors:
    prompts, responses, at = [], [], 0
    for count in counts:
        prompts.append(vectors[at])
        responses.append(vectors[at + 1 : at + 1 + count])
        at += 1 + count
    return Vectors(np.array(prompts), tuple(responses))
