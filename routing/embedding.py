"""Embeddings of a project's texts and matches of its pairs.

Computed and stored by judge workers, read as arrays by everybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from judges.representations import AT_ONCE, STORED_AS, ensure, ensure_matched, parts, read_matches
from ledger.models import Project, Representation, Response
from ledger.representations import read_vectors
from routing.table import Embeddings, Floats, Mask
from routing.tagging import prompts_of
from routing.texts import text_of

ENCODER = "minilm"
ENOUGH = 0.9  # of the texts must be embedded; the few that are not stand at the mean of the others


def embeddings_of(prompts: Sequence[str], responses: Sequence[str]) -> Embeddings | None:
    """The stored vectors of these texts, P and R of them; None where too few are stored."""
    stored = STORED_AS[ENCODER]
    if not Representation.objects.filter(encoder=stored).exists():
        return None
    vectors, known = read_vectors(stored, [*prompts, *responses])
    here = np.arange(len(known)) < len(prompts)
    if min(known[here].mean(), known[~here].mean()) < ENOUGH:
        return None
    found = vectors.astype(float)
    return Embeddings(prompts=filled(found[here], known[here]), responses=filled(found[~here], known[~here]))


def matching_of(pairs: Sequence[tuple[str, str]]) -> Floats | None:
    """Precision, recall and F1 of each pair's matching (n, 3), those few that are not stored at the others' mean.

    None where too few are stored.
    """
    found = read_matches(pairs, ENCODER).astype(float)
    known = ~np.isnan(found).any(axis=1)
    if not len(pairs) or known.mean() < ENOUGH:
        return None
    return filled(found, known)


def filled(vectors: Floats, known: Mask) -> Floats:
    """The vectors (N, d), those that are not known at the mean of the others."""
    vectors[~known] = vectors[known].mean(axis=0)
    return vectors


def texts_of(project: Project) -> list[str]:
    """The project's distinct prompts and responses."""
    responses = Response.objects.filter(instance__project=project).order_by("pk")
    texts = dict.fromkeys(responses.values_list("text", flat=True).iterator())
    return list(dict.fromkeys([*prompts_of(project), *texts]))


def pairs_of(project: Project) -> list[tuple[str, str]]:
    """The project's distinct pairs of responses, those to one prompt side by side: what they share is encoded once."""
    responses: dict[str, dict[int, list[str]]] = {}
    rows = Response.objects.filter(instance__project=project).order_by("instance_id", "index")
    for pk, prompt, text in rows.values_list("instance_id", "instance__prompt", "text").iterator():
        responses.setdefault(text_of(prompt), {}).setdefault(pk, []).append(text)
    asked = (texts for instances in responses.values() for texts in instances.values())
    return list(dict.fromkeys(pair for texts in asked for pair in combinations(texts, 2)))


@dataclass(frozen=True, slots=True)
class Embedded:
    """How many texts and pairs of responses were new."""

    texts: int
    pairs: int


def embed_project(project: Project, *, tell: Callable[[int], None] | None = None) -> Embedded:
    """Stores the vectors of texts and the matches of pairs that are missing.

    Loads a model, so it runs in judge workers and commands.
    """
    texts, made, matched = texts_of(project), 0, 0
    for part in parts(pairs_of(project), AT_ONCE):
        new, pairs = ensure_matched(part, ENCODER)
        made, matched = made + new, matched + pairs
        if tell is not None:
            tell(made)
    for at in range(0, len(texts), AT_ONCE):
        made += ensure(texts[at : at + AT_ONCE], ENCODER)
        if tell is not None:
            tell(made)
    return Embedded(texts=made, pairs=matched)
