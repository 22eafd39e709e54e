"""HyPER's binary tags: three bins each of similarity and length scores, and what the prompt is about.

Miranda et al. 2024 (arXiv 2410.19133) has 27 textual and 63 descriptive flags. The textual ones rest on five
similarity scores (BERTScore, its length-adjusted form, the embeddings' cosine, the overlap of entities, ROUGE-L) and
four ranks of lengths. Where a project's texts are not embedded, ROUGE-1 stands for BERTScore and ROUGE-L for the
cosine. The descriptive ones are asked of a judge's model (`judges.tagging`); prompts that it has not tagged are
guessed from their embeddings, or their words, by a ridge regression on those that it has. Where it has tagged too few,
clusters of prompts stand for the subjects, and signs in the text for language, material and format constraints.
"""

from __future__ import annotations

import re
from string import ascii_uppercase

import numpy as np

from judges.tagging import DIMENSIONS, NAMES
from routing.features import TEXTS
from routing.features.base import per_text, share_below
from routing.features.entities import overlap
from routing.features.language import english
from routing.features.lengths import word_count
from routing.features.similarity import cosine, length_adjusted, likeness, rouge
from routing.features.topics import prompt_dimensions
from routing.table import Floats, Mask, Table

EDGES = (1 / 3, 2 / 3)
THIRDS = ("low", "middling", "high")
SCORES = (
    "likeness of the responses",
    "likeness less the lengths' ratio",
    "likeness of meaning",
    "shared entities",
    "shared word order",
    "length of the prompt",
    "length of the shorter response",
    "length of the longer response",
    "gap between the lengths",
)
LENGTH_SCORES = 4
LEAST_TAGGED = 30  # prompts, from which on tags are guessed for the others
MOST_SUBJECTS = 3
PENALTIES = np.logspace(-3, 3, 13)
SUBJECTS = 24  # clusters of prompts; HyPER has 46 subjects, many of them hardly ever met
FORMAT = re.compile(r"\b(?:json|table|list|bullet|words?|sentences?|paragraphs?|format|rhyme|steps?)\b", re.I)
MATERIAL = re.compile(r"(?:input|text|passage|context|article|code)\s*:|```|\n\n", re.I)


def scores(table: Table) -> Floats:
    """The nine scores of each pair in 0…1 (n, 9): five similarities, then four ranks of lengths."""
    alike, near, in_order = likeness(table), cosine(table), rouge(table)[:, 1]
    words = per_text(table, "words", word_count)[table.pair]  # (n, 2)
    prompts = np.array([word_count(text) for text in table.prompts])[table.prompt]
    short, long = words.min(axis=1), words.max(axis=1)
    ranks = [share_below(values) for values in (prompts, short, long, long - short)]
    alikes = [
        alike,
        length_adjusted(table, alike),
        in_order if near is None else near,
        overlap(table),
        in_order,
    ]
    return np.stack([*np.clip(alikes, 0, 1), *ranks], axis=1)


def bins(values: Floats) -> Floats:
    """Flags of the lower, middle and upper third of 0…1: (n, s) to (n, 3 s)."""
    place = np.digitize(values, EDGES)  # (n, s)
    return (place[:, :, None] == np.arange(3)).reshape(len(values), -1).astype(float)


def descriptive(table: Table) -> Floats:
    """Flags of the prompts, spread over the pairs: the 63 of a tagger (n, 63), else what stands for them (n, ≤27)."""
    if table.tags is not None and tagged(table.tags).sum() >= min(LEAST_TAGGED, len(table.prompts)):
        return flags(guessed(table))[table.prompt]
    return stand_ins(table)[table.prompt]


def tagged(probabilities: Floats) -> Mask:
    """Which prompts (P, 63) carry tags."""
    return np.asarray(np.isfinite(probabilities).all(axis=1))


def guessed(table: Table) -> Floats:
    """The prompts' tags (P, 63), those that nobody tagged guessed by ridge regression from those that were."""
    assert table.tags is not None
    known = tagged(table.tags)
    if known.all():
        return table.tags
    places = prompt_vectors(table)
    centre, level = places[known].mean(axis=0), table.tags[known].mean(axis=0)
    weights = ridge(places[known] - centre, table.tags[known] - level)
    found = np.clip(level + (places - centre) @ weights, 0.0, 1.0)
    return np.where(known[:, None], table.tags, found)


def prompt_vectors(table: Table) -> Floats:
    """What tags are guessed from (P, d): the prompts' embeddings where there are any, else their topics."""
    return prompt_dimensions(table) if table.embeddings is None else table.embeddings.prompts


def ridge(x: Floats, y: Floats) -> Floats:
    """Weights (d, k) of ridge regression, the penalty of least mean squared leave-one-out error (N, d), (N, k)."""
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    errors = []
    for penalty in PENALTIES:
        share = sizes**2 / (sizes**2 + penalty)
        hat = (left**2) @ share
        rest = (y - (left * share) @ (left.T @ y)) / np.maximum(1 - hat, 1e-6)[:, None]
        errors.append(float((rest**2).mean()))
    penalty = PENALTIES[int(np.argmin(errors))]
    weights: Floats = right.T @ ((sizes / (sizes**2 + penalty))[:, None] * (left.T @ y))
    return weights


def flags(probabilities: Floats) -> Floats:
    """Tags as HyPER sets them (P, 63): up to three subjects, one value of each scale, the others from one half on."""
    found: list[Mask] = []
    at = 0
    for dimension in DIMENSIONS:
        part = probabilities[:, at : at + dimension.width]
        at += dimension.width
        if dimension.width == 1:
            found.append(part >= 0.5)
        elif dimension.name == "subject":
            found.append(subjects(part))
        else:
            found.append(part.argmax(axis=1)[:, None] == np.arange(dimension.width))
    return np.hstack(found).astype(float)


def subjects(part: Floats) -> Mask:
    """The most probable subject, and up to two more that are at least half as probable (P, 46)."""
    third = np.sort(part, axis=1)[:, -MOST_SUBJECTS][:, None]
    best = part.max(axis=1, keepdims=True)
    chosen: Mask = (part >= third) & (part >= best / 2)
    return chosen


def stand_ins(table: Table) -> Floats:
    """What stands for the tags of prompts that nobody has tagged (P, ≤27)."""
    dimensions = prompt_dimensions(table)
    seen = [[english(text), bool(MATERIAL.search(text)), bool(FORMAT.search(text))] for text in table.prompts]
    signs = np.array(seen, dtype=float).reshape(-1, 3)
    if dimensions.shape[1] and len(dimensions) >= 2 * SUBJECTS:
        cluster = TEXTS.load("clusters")(dimensions, count=SUBJECTS)
        signs = np.hstack([signs, np.eye(SUBJECTS)[cluster]])
    return signs


def tags(table: Table) -> Floats:
    """All flags (n, T), computed once for a table."""
    if "tags" not in table.cache:
        table.cache["tags"] = np.hstack([bins(scores(table)), descriptive(table)])
    found = table.cache["tags"]
    assert isinstance(found, np.ndarray)
    return found


def tag_names(table: Table) -> list[str]:
    """What each of `tags` says (T,), in words."""
    thirds = [f"{third} {score}" for score in SCORES for third in THIRDS]
    rest = tags(table).shape[1] - len(thirds)
    if rest == len(NAMES):
        return thirds + [name.replace(":", "") for name in NAMES]
    signs = ["a prompt in English", "a prompt with material", "a prompt that constrains the form"]
    topics = [f"prompts like group {letter}" for letter in ascii_uppercase]
    return thirds + [*signs, *topics][:rest]


def length_scores(table: Table) -> Floats:
    """The four length ranks over the full data (n, 4)."""
    return scores(table)[:, -LENGTH_SCORES:]
