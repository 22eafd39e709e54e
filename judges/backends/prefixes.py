"""Prefix sharing: which tokens of many sequences need computing at all. Lists in, plans out; no torch here.

Two shapes of the same tree. `walk` visits the sequences in sorted order, each after cutting the cache back
to what it shares with the one before: a depth-first walk with one cache, exact causal attention and no
mask, the best on a CPU. `pack` lays whole trees into rows of a fixed number of tokens, each token once,
with an ancestor mask: no padding but the last row's, large matrix products, the best on a GPU (tree
attention: Miao et al. 2023, SpecInfer, section 4.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Step:
    """Compute `sequences[index][keep:]` with the first `keep` tokens still in the cache."""

    index: int
    keep: int


def shared(a: Sequence[int], b: Sequence[int]) -> int:
    """The length of the common beginning."""
    limit = min(len(a), len(b))
    for at in range(limit):
        if a[at] != b[at]:
            return at
    return limit


def walk(sequences: Sequence[Sequence[int]], needed_from: Sequence[int]) -> list[Step]:
    """The order of computing and what each step may keep.

    `needed_from[i]` is the first position of sequence i whose output is wanted; it and all later ones are
    computed afresh, so that a kept prefix never hides a wanted output.
    """
    order = sorted(range(len(sequences)), key=lambda i: list(sequences[i]))
    steps: list[Step] = []
    for at, index in enumerate(order):
        common = shared(sequences[order[at - 1]], sequences[index]) if at else 0
        steps.append(Step(index, min(common, needed_from[index])))
    return steps


@dataclass(frozen=True, slots=True)
class Pack:
    """One row of tree-packed tokens. `places[i]` are where sequence i's tokens lie in the row, in their
    order.
    """

    ids: NDArray[np.int64]  # (T,)
    positions: NDArray[np.int64]  # (T,) depth of each token in its sequence
    parents: NDArray[np.int64]  # (T,) index of the token before it, -1 at a root
    places: dict[int, NDArray[np.int64]]

    def mask(self) -> NDArray[np.bool_]:
        """(T, T): whether the row's token may attend to the column's, which is: to its ancestors and
        itself.
        """
        size = len(self.ids)
        allowed = np.zeros((size, size), dtype=bool)
        for token, parent in enumerate(self.parents):
            if parent >= 0:
                allowed[token] = allowed[parent]
            allowed[token, token] = True
        return allowed


def pack(sequences: Sequence[Sequence[int]], budget: int) -> Iterator[Pack]:
    """Rows of at most `budget` unique tokens (or one longer sequence alone), neighbours by shared prefix
    together.
    """
    order = sorted(range(len(sequences)), key=lambda i: list(sequences[i]))
    row = _Row()
    for at, index in enumerate(order):
        previous = sequences[order[at - 1]] if at else ()
        fresh = len(sequences[index]) - (shared(previous, sequences[index]) if row.places else 0)
        if row.places and len(row.ids) + fresh > budget:
            yield row.packed()
            row = _Row()
        row.add(index, sequences[index])
    if row.places:
        yield row.packed()


class _Row:
    """A pack being filled: a trie whose nodes are tokens."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.positions: list[int] = []
        self.parents: list[int] = []
        self.children: dict[tuple[int, int], int] = {}
        self.places: dict[int, NDArray[np.int64]] = {}

    def add(self, index: int, sequence: Sequence[int]) -> None:
        parent, path = -1, []
        for depth, token in enumerate(sequence):
            at = self.children.get((parent, token))
            if at is None:
                at = self.children[parent, token] = len(self.ids)
                self.ids.append(token)
                self.positions.append(depth)
                self.parents.append(parent)
            path.append(at)
            parent = at
        self.places[index] = np.asarray(path, dtype=np.int64)

    def packed(self) -> Pack:
        return Pack(np.asarray(self.ids), np.asarray(self.positions), np.asarray(self.parents), self.places)
