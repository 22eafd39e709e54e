"""HyPER's binary tags: three bins each of similarity and length scores, and what the prompt is about.

Miranda et al. 2024 (arXiv 2410.19133) has 27 textual and 63 descriptive flags. The textual ones are here with
ROUGE-1, its length-adjusted form, ROUGE-L, cosine and the overlap of names and numbers as the five similarity
scores. The descriptive ones come from a language model there; where nobody has tagged, clusters of prompts
stand for the subjects, and signs in the text for language, material in the prompt and format constraints.
"""

from __future__ import annotations

import re

import numpy as np

from routing.features import TEXTS
from routing.features.base import per_text, share_below
from routing.features.language import foreign_share
from routing.features.lengths import word_count
from routing.features.similarity import cosine, rouge
from routing.features.topics import prompt_dimensions
from routing.table import Floats, Table

EDGES = (1 / 3, 2 / 3)
LENGTH_SCORES = 4
SUBJECTS = 24  # clusters of prompts; HyPER has 46 subjects, many of them hardly ever met
NAME = re.compile(r"\b(?:[A-Z][\w'-]+|\d[\d.,]*)\b")
FORMAT = re.compile(r"\b(?:json|table|list|bullet|words?|sentences?|paragraphs?|format|rhyme|steps?)\b", re.I)
MATERIAL = re.compile(r"(?:input|text|passage|context|article|code)\s*:|```|\n\n", re.I)


def scores(table: Table) -> Floats:
    """The nine scores of each pair in 0…1 (n, 9): five similarities, then four ranks of lengths."""
    overlap = rouge(table)
    words = per_text(table, "words", word_count)[table.pair]  # (n, 2)
    prompts = np.array([word_count(text) for text in table.prompts])[table.prompt]
    short, long = words.min(axis=1), words.max(axis=1)
    adjusted = overlap[:, 0] * np.exp(1 - long / np.maximum(short, 1))
    near = cosine(table)
    ranks = [share_below(values) for values in (prompts, short, long, long - short)]
    first = [overlap[:, 0], adjusted, overlap[:, 1] if near is None else np.clip(near, 0, 1), names(table)]
    return np.stack([*first, overlap[:, 1], *ranks], axis=1)


def names(table: Table) -> Floats:
    """Intersection over union of the names and numbers in both responses (n,); 1 where neither has any."""
    sets = [frozenset(NAME.findall(text)) for text in table.responses]
    found = [
        len(sets[a] & sets[b]) / len(sets[a] | sets[b]) if sets[a] | sets[b] else 1.0 for a, b in table.pair
    ]
    return np.array(found, dtype=float)


def bins(values: Floats) -> Floats:
    """Flags of the lower, middle and upper third of 0…1: (n, s) to (n, 3 s)."""
    place = np.digitize(values, EDGES)  # (n, s)
    return (place[:, :, None] == np.arange(3)).reshape(len(values), -1).astype(float)


def descriptive(table: Table) -> Floats:
    """Flags of the prompts, spread over the pairs (n, ≤27)."""
    dimensions = prompt_dimensions(table)
    flags = [
        [foreign_share(text) < 0.3, bool(MATERIAL.search(text)), bool(FORMAT.search(text))]
        for text in table.prompts
    ]
    signs = np.array(flags, dtype=float).reshape(-1, 3)
    if dimensions.shape[1] and len(dimensions) >= 2 * SUBJECTS:
        cluster = TEXTS.load("clusters")(dimensions, count=SUBJECTS)
        signs = np.hstack([signs, np.eye(SUBJECTS)[cluster]])
    return signs[table.prompt]


def tags(table: Table) -> Floats:
    """All flags (n, T), computed once for a table."""
    if "tags" not in table.cache:
        table.cache["tags"] = np.hstack([bins(scores(table)), descriptive(table)])
    found = table.cache["tags"]
    assert isinstance(found, np.ndarray)
    return found


def length_scores(table: Table) -> Floats:
    """The four length ranks over the full data (n, 4)."""
    return scores(table)[:, -LENGTH_SCORES:]
