"""Vectors of texts, stored once by content: written by judge workers, read as arrays by routing and
quality.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ledger.models import Representation

Floats32 = NDArray[np.float32]


def text_hash(text: str) -> bytes:
    """BLAKE2b-128 of the text's UTF-8 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def read_vectors(encoder: str, texts: Sequence[str]) -> tuple[Floats32, NDArray[np.bool_]]:
    """The stored vectors (N, E) of the texts, zeros where there is none, and where there is one (N,).

    E is 0 while nothing at all is stored under this encoder.
    """
    hashes = [text_hash(text) for text in texts]
    rows = Representation.objects.filter(encoder=encoder, text_hash__in=set(hashes))
    stored = {
        bytes(key): np.frombuffer(bytes(vector), dtype="<f2")
        for key, vector in rows.values_list("text_hash", "vector").iterator(chunk_size=2000)
    }
    known = np.array([key in stored for key in hashes], dtype=bool)
    width = len(next(iter(stored.values()))) if stored else 0
    vectors = np.zeros((len(hashes), width), dtype=np.float32)
    for row, key in enumerate(hashes):
        if key in stored:
            vectors[row] = stored[key]
    return vectors, known


def store_vectors(encoder: str, texts: Sequence[str], vectors: Floats32) -> None:
    """Keep a vector (N, E) for each text; one that is there already stays."""
    rows = [
        Representation(
            encoder=encoder, text_hash=text_hash(text), vector=np.asarray(row, dtype="<f2").tobytes()
        )
        for text, row in zip(texts, vectors, strict=True)
    ]
    Representation.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
