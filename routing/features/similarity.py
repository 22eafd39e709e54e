"""How alike the two responses are: ROUGE-1 and ROUGE-L F1, identity, and, where they are stored, the cosine of their
embeddings and the matching of their tokens' states (`judges.matching`), plain and adjusted to their lengths.
"""

import re
from collections import Counter

import numpy as np
from rapidfuzz.distance import LCSseq

from routing.features.base import Block, per_text, standard, unit_scale
from routing.features.lengths import word_count
from routing.table import Floats, Table

TOKEN = re.compile(r"\w+|[^\w\s]")
LONGEST = 1500  # tokens of a text that ROUGE-L compares; the rest adds time and no signal


def tokens(text: str) -> list[str]:
    return TOKEN.findall(text.lower())


def overlap_f1(a: Counter[str], b: Counter[str]) -> float:
    """ROUGE-n F1 of two bags of n-grams (Lin 2004); two empty texts are the same text."""
    total = a.total() + b.total()
    return 2.0 * (a & b).total() / total if total else 1.0


def codes(tables: list[list[str]]) -> list[list[int]]:
    """Token lists as lists of integer codes, so that sequences compare fast."""
    known: dict[str, int] = {}
    return [[known.setdefault(token, len(known)) for token in table[:LONGEST]] for table in tables]


def rouge(table: Table) -> Floats:
    """ROUGE-1 and ROUGE-L F1 of each pair (n, 2), computed once for a table."""
    if "rouge" not in table.cache:
        split = [tokens(text) for text in table.responses]
        bags, coded = [Counter(words) for words in split], codes(split)
        rows = []
        for a, b in table.pair:
            total = len(coded[a]) + len(coded[b])
            longest = 2.0 * LCSseq.similarity(coded[a], coded[b]) / total if total else 1.0
            rows.append((overlap_f1(bags[a], bags[b]), longest))
        table.cache["rouge"] = np.array(rows, dtype=float).reshape(-1, 2)
    found = table.cache["rouge"]
    assert isinstance(found, np.ndarray)
    return found


def cosine(table: Table) -> Floats | None:
    """Cosine of the responses' embeddings (n,), None where there are none."""
    if table.embeddings is None:
        return None
    vectors = table.embeddings.responses
    norms = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
    a, b = table.pair.T
    dots: Floats = np.einsum("nd,nd->n", vectors[a], vectors[b])
    return dots / (norms[a] * norms[b])


def likeness(table: Table) -> Floats:
    """F1 of the tokens' matching (n,), BERTScore; of words, ROUGE-1, where none is stored."""
    return rouge(table)[:, 0] if table.matching is None else table.matching[:, 2]


def length_adjusted(table: Table, scores: Floats) -> Floats:
    """Scores (n,) times exp(1 - long / short) of the responses' lengths in words, as HyPER adjusts BERTScore."""
    words = np.maximum(per_text(table, "words", word_count), 1)[table.pair]  # (n, 2)
    adjusted: Floats = scores * np.exp(1 - words.max(axis=1) / words.min(axis=1))
    return adjusted


def similarity(table: Table) -> Block:
    """`covered` is odd: how much more of the first response the second one covers than the other way round."""
    scores = rouge(table)
    even = {
        "rouge1": standard(scores[:, 0]),
        "rougeL": standard(scores[:, 1]),
        "same": (scores[:, 1] > 0.99).astype(float),
    }
    near = cosine(table)
    if near is not None:
        even["cosine"] = standard(near)
    if table.matching is None:
        return Block(even=even)
    precision, recall, f1 = table.matching.T
    even |= {"matching": standard(f1), "matching_adjusted": standard(length_adjusted(table, f1))}
    return Block(odd={"covered": unit_scale(recall - precision)}, even=even)
