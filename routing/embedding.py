"""Embeddings of a project's texts: computed and stored by judge workers, read as arrays by everybody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from judges.representations import AT_ONCE, STORED_AS, ensure
from ledger.models import Project, Representation, Response
from ledger.representations import read_vectors
from routing.table import Embeddings, Floats, Mask
from routing.tagging import prompts_of

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


def filled(vectors: Floats, known: Mask) -> Floats:
    """The vectors (N, d), those that are not known at the mean of the others."""
    vectors[~known] = vectors[known].mean(axis=0)
    return vectors


def texts_of(project: Project) -> list[str]:
    """The project's distinct prompts and responses."""
    responses = Response.objects.filter(instance__project=project).order_by("pk")
    texts = dict.fromkeys(responses.values_list("text", flat=True).iterator())
    return list(dict.fromkeys([*prompts_of(project), *texts]))


def embed_project(project: Project, *, tell: Callable[[int], None] | None = None) -> int:
    """Stores the vectors that are missing; how many. Loads a model, so it runs in judge workers and commands."""
    texts, made = texts_of(project), 0
    for at in range(0, len(texts), AT_ONCE):
        made += ensure(texts[at : at + AT_ONCE], ENCODER)
        if tell is not None:
            tell(min(at + AT_ONCE, len(texts)))
    return made
