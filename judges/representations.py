"""Representations of instances: computed by judge workers, stored in the ledger, read as arrays.

`of_items`, `ensure` and `ensure_matched` compute what is missing and so run in workers only; `read_matches` reads
alone and is safe anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    "smollm2": "SmolLM2-135M-Instruct:layer15:mean+last:96+160+64",
}
MATCHED_AS = {"minilm": "all-MiniLM-L6-v2:tokens:256:matching"}


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


def ensure_matched(pairs: Sequence[tuple[str, str]], encoder: str) -> tuple[int, int]:
    """Compute and store how well each pair's texts match, and their vectors; how many texts and pairs lacked them.

    All texts are encoded in one call, whose token states memory must hold: `parts` cuts longer work.
    """
    distinct = list(dict.fromkeys((min(pair), max(pair)) for pair in pairs))
    scored = read_matches(distinct, encoder)
    missing = [pair for pair, row in zip(distinct, scored, strict=True) if np.isnan(row).any()]
    if not missing:
        return 0, 0
    texts = list(dict.fromkeys(text for pair in missing for text in pair))
    place = {text: row for row, text in enumerate(texts)}
    rows = [(place[first], place[second]) for first, second in missing]
    vectors, scores = loaded_encoder(encoder).compare(texts, rows)
    new = np.flatnonzero(~read_vectors(STORED_AS[encoder], texts)[1])
    store_vectors(STORED_AS[encoder], [texts[row] for row in new], vectors[new])
    store_vectors(MATCHED_AS[encoder], [as_text(pair) for pair in missing], scores)
    return len(new), len(missing)


def parts(pairs: Sequence[tuple[str, str]], most: int) -> Iterator[list[tuple[str, str]]]:
    """The pairs in their order, cut before a part's distinct texts become more than `most`."""
    part: list[tuple[str, str]] = []
    texts: set[str] = set()
    for pair in pairs:
        if part and len(texts.union(pair)) > most:
            yield part
            part, texts = [], set()
        part.append(pair)
        texts.update(pair)
    if part:
        yield part


def read_matches(pairs: Sequence[tuple[str, str]], encoder: str) -> Floats32:
    """The stored precision, recall and F1 (N, 3) of each pair's second text against its first, NaN where none are."""
    keys = [as_text((min(pair), max(pair))) for pair in pairs]
    found, known = read_vectors(MATCHED_AS[encoder], keys)
    scores = np.full((len(pairs), 3), np.nan, dtype=np.float32)
    if known.any():
        scores[known] = found[known]
    turned = np.array([first > second for first, second in pairs], dtype=bool)
    scores[turned] = scores[turned][:, [1, 0, 2]]  # stored once, for the texts in order
    return scores


def as_text(pair: tuple[str, str]) -> str:
    """What a pair is stored by. The first text's length keeps two pairs with one joined text apart."""
    return f"{len(pair[0])}{SEPARATOR}{pair[0]}{pair[1]}"


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
