"""Mixes of human and AI labels, and the proxy reward models trained on them.

A proxy is a Bradley-Terry head over frozen embeddings, hundreds of which are fitted in a second. Where the project's
setting `hyper.reward_model` names a model, that one is trained whole on each mix; but only inside
`full_reward_models`, which commands and workers enter: a web process never loads a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
from numpy.random import Generator

from routing.features import TEXTS
from routing.features.lengths import length_gap
from routing.table import Floats, Ints, Mask, Table
from web.registry import Registry

TRAINERS = Registry("reward model trainer", {"pretrained": "judges.reward_training:loaded_trainer"})
FULL: ContextVar[bool] = ContextVar("full reward models", default=False)
DIMENSIONS = 24
RIDGE = 3.0  # of the Bradley-Terry head, on standardised embeddings
NEWTON_STEPS = 6


@contextmanager
def full_reward_models() -> Iterator[None]:
    """Inside, proxies are trained whole where the project names a model for them."""
    token = FULL.set(True)
    try:
        yield
    finally:
        FULL.reset(token)


def response_differences(table: Table) -> Floats:
    """Second minus first embedding of each pair, standardised, and the length gap (n, ≤25); found once."""
    if "differences" not in table.cache:
        vectors = response_dimensions(table)
        gaps = vectors[table.pair[:, 1]] - vectors[table.pair[:, 0]]
        gaps /= np.maximum(np.sqrt((gaps**2).mean(axis=0)), 1e-9)
        table.cache["differences"] = np.hstack([gaps, 2 * length_gap(table)[:, None]])
    found = table.cache["differences"]
    assert isinstance(found, np.ndarray)
    return found


def response_dimensions(table: Table) -> Floats:
    """Leading dimensions of the responses' embeddings, or of their words where nothing is embedded (R, ≤24)."""
    if table.embeddings is None:
        found: Floats = TEXTS.load("dimensions")(table.responses, count=DIMENSIONS)
    else:
        found = TEXTS.load("reduce")(table.embeddings.responses, count=DIMENSIONS)
    return found


def tag_fill(tags: Floats, budgets: Ints, *, rng: Generator) -> Mask:
    """Mixes as HyPER samples them: tags in random order, each adding its rows in random order (C, m).

    tags (m, T); budgets (C,): how many rows of each mix are human.
    """
    rows, count = tags.shape
    mixes = np.zeros((len(budgets), rows), dtype=bool)
    for mix, budget in zip(mixes, budgets, strict=True):
        place = rng.permutation(count)  # the turn of each tag
        turn = np.where(tags > 0, place, count).min(axis=1)  # the first turn that takes the row
        order = np.lexsort((rng.random(rows), turn))
        mix[order[:budget]] = True
    return mixes


def heads(differences: Floats, targets: Floats, weights: Floats) -> Floats:
    """Bradley-Terry heads of many mixes at once (C, d), by Newton's method with a ridge.

    differences (m, d); targets (C, m) in 0…1: the second is preferred; weights (C, m): 0 where a tie is dropped.
    """
    count, size = len(targets), differences.shape[1]
    found = np.zeros((count, size))
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(found @ differences.T, -30, 30)))  # (C, m)
        slope = (weights * (p - targets)) @ differences + RIDGE * found
        curve = np.einsum("cm,mi,mj->cij", weights * p * (1 - p), differences, differences, optimize=True)
        curve += RIDGE * np.eye(size)
        found -= np.linalg.solve(curve, slope[:, :, None])[:, :, 0]
    return found


def head_accuracy(found: Floats, differences: Floats, verdict: Ints) -> Floats:
    """How many of the decided verdicts (v,) each head ranks rightly (C,); ties are left out."""
    decided = verdict != 0
    if not decided.any():
        return np.zeros(len(found))
    margin = found @ differences[decided].T  # (C, v)
    accuracy: Floats = ((margin > 0) == (verdict[decided] > 0)).mean(axis=1)
    return accuracy


def proxy_scores(table: Table, mixes: Mask, rows: Ints, human: Ints, validation: tuple[Ints, Ints]) -> Floats:
    """The validation accuracy of the proxy reward model of each mix (C,).

    mixes (C, m) over `rows` (m,) with human verdicts (m,); validation: rows (v,) and human verdicts (v,).
    """
    verdict = np.where(mixes, human, table.ai[rows])  # (C, m)
    held, truth = validation
    if FULL.get() and table.hyper.get("reward_model"):
        trainer = TRAINERS.load("pretrained")(table.hyper["reward_model"])
        trained: Floats = trainer.accuracies(texts_of(table, rows), verdict, texts_of(table, held), truth)
        return trained
    differences = response_differences(table)
    found = heads(differences[rows], (verdict + 1) / 2, (verdict != 0).astype(float))
    return head_accuracy(found, differences[held], truth)


def texts_of(table: Table, rows: Ints) -> list[tuple[str, str, str]]:
    """Prompt, first and second response of these pairs."""
    return [
        (table.prompts[table.prompt[row]], table.responses[first], table.responses[second])
        for row, (first, second) in zip(rows, table.pair[rows], strict=True)
    ]


FOLDS = 5


def probe_accuracy(table: Table, settled: Ints, gold: Ints, evaluable: Mask) -> Floats:
    """Held-out accuracy of a probe reward model trained on settled verdicts (C, n): (C,)."""
    right, tested = probe_right(table, settled, gold, evaluable)
    accuracy: Floats = right[:, tested].sum(axis=1) / max(int(tested.sum()), 1)
    return accuracy


def probe_right(table: Table, settled: Ints, gold: Ints, evaluable: Mask) -> tuple[Mask, Mask]:
    """Where a probe reward model trained on settled verdicts (C, n) ranks as the gold does (C, n), and where it was
    tested (n,).

    Cross-fitted by prompt; tested against the decided gold (n,) where `evaluable` (n,). Ties train nothing.
    """
    differences = response_differences(table)
    fold = table.prompt % FOLDS
    right, tested = np.zeros(settled.shape, dtype=bool), np.zeros(len(gold), dtype=bool)
    for held in range(FOLDS):
        train, test = fold != held, (fold == held) & evaluable & (gold != 0)
        if not test.any() or not train.any():
            continue
        verdict = settled[:, train]
        found = heads(differences[train], (verdict + 1) / 2, (verdict != 0).astype(float))
        right[:, test] = (found @ differences[test].T > 0) == (gold[test] > 0)
        tested |= test
    return right, tested
