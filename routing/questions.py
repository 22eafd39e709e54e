"""Pairs as a model sees them: the same content asked twice is one question, and responses meet in many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from routing.features.base import Block
from routing.table import Floats, Ints, Known, Table


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """The N distinct questions of a table's n pairs.

    `code` (n,) points from pairs to questions, `flip` (n,) is -1 where the pair shows the question's responses
    the other way round; `response` (N, 2) holds codes of responses that several questions share, -1 for others;
    `shared` counts those, `model` (N, 2) the models that wrote them (-1 unknown).
    """

    code: Ints
    flip: Ints
    response: Ints
    shared: int
    model: Ints

    @property
    def size(self) -> int:
        return len(self.response)

    def odd(self, values: Floats) -> Floats:
        """The mean of an odd column over each question's pairs: (n,) to (N,)."""
        return self.even(values * self.flip)

    def even(self, values: Floats) -> Floats:
        return np.bincount(self.code, weights=values, minlength=self.size) / np.maximum(
            np.bincount(self.code, minlength=self.size), 1
        )

    def counts(self, known: Known) -> Floats:
        """Human verdicts on each question in its own orientation (N, 3)."""
        counts = np.zeros((self.size, 3))
        verdict = known.verdict * self.flip[known.instance]
        np.add.at(counts, (self.code[known.instance], verdict + 1), 1.0)
        return counts

    def judged(self, ai: Ints) -> Ints:
        """The column of the standing verdict of each question's first pair, in the question's orientation (N,)."""
        _, first = np.unique(self.code, return_index=True)
        return ai[first] * self.flip[first] + 1

    def turned(self, probability: Floats) -> Floats:
        """P(first, tie, second) of questions, as their pairs show them: (N, 3) to (n, 3)."""
        spread = probability[self.code]
        return np.where(self.flip[:, None] > 0, spread, spread[:, ::-1])

    def stack(self, found: Block) -> tuple[Floats, Floats]:
        """A block's odd (N, k) and even (N, l) columns."""
        odd = [self.odd(values) for values in found.odd.values()]
        even = [self.even(values) for values in found.even.values()]
        empty = np.zeros((self.size, 0))
        return (
            np.stack(odd, axis=1) if odd else empty,
            np.stack(even, axis=1) if even else empty,
        )


def questions(table: Table) -> Questions:
    """The table's questions, found once."""
    if "questions" not in table.cache:
        table.cache["questions"] = find_questions(table)
    found = table.cache["questions"]
    assert isinstance(found, Questions)
    return found


def find_questions(table: Table) -> Questions:
    text = text_codes(table)[table.pair]  # (n, 2)
    low, high = text.min(axis=1), text.max(axis=1)
    flip = np.where(text[:, 0] <= text[:, 1], 1, -1)
    rows, first, code = np.unique(
        np.stack([low, high], axis=1), axis=0, return_index=True, return_inverse=True
    )
    met = np.bincount(rows.ravel(), minlength=int(text.max(initial=-1)) + 1) > 1
    shared = np.where(met, np.cumsum(met) - 1, -1)
    model = table.model_of[table.pair[first]]
    model = np.where(flip[first, None] > 0, model, model[:, ::-1])
    return Questions(code=code.ravel(), flip=flip, response=shared[rows], shared=int(met.sum()), model=model)


def text_codes(table: Table) -> Ints:
    """One code for each distinct text under a prompt: (R,)."""
    asked = np.full(len(table.responses), -1, dtype=np.int64)
    for side in (0, 1):
        asked[table.pair[:, side]] = table.prompt
    known: dict[tuple[int, str], int] = {}
    pairs = zip(asked.tolist(), table.responses, strict=True)
    return np.array([known.setdefault(key, len(known)) for key in pairs], dtype=np.int64)
