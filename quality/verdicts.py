"""Verdicts as arrays: -1 the first response, 0 a tie, 1 the second; counting, plurality, folding of orders.

Shapes: V verdicts, I items (an instance, or a pair of its responses), R raters, K = 3 verdicts.
Items and raters are integer codes 0…I-1 and 0…R-1.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]  # the names say what an array holds; numpy's own promotion rules decide its dtype
Floats = NDArray[Any]
Bools = NDArray[Any]

FIRST, TIE, SECOND = -1, 0, 1
VERDICTS: Ints = np.array([FIRST, TIE, SECOND], dtype=np.int8)
TIE_COLUMN = 1


def column(verdicts: Ints) -> Ints:
    """The column of each verdict in a table of counts: 0 first, 1 tie, 2 second."""
    return np.asarray(verdicts, dtype=np.intp) + 1


def count_table(items: Ints, verdicts: Ints, *, n_items: int) -> Ints:
    """How many labels of each item gave each verdict, (I, 3)."""
    cells = np.asarray(items, dtype=np.intp) * VERDICTS.size + column(verdicts)
    return np.bincount(cells, minlength=n_items * VERDICTS.size).reshape(n_items, VERDICTS.size)


def plurality(table: Floats | Ints) -> tuple[Ints, Bools]:
    """The most frequent verdict of each row, (I,), and whether it is strictly the most frequent, (I,).

    Where it is not (two verdicts lead together, or no label at all), the verdict is a tie and the
    second array says False.
    """
    table = np.asarray(table)
    best = table.max(axis=1)
    strict = (table == best[:, None]).sum(axis=1) == 1
    return np.where(strict, VERDICTS[table.argmax(axis=1)], TIE).astype(np.int8), strict


@dataclass(frozen=True, slots=True)
class Folded:
    """One verdict of each rater on each item."""

    items: Ints  # (F,)
    raters: Ints  # (F,)
    verdicts: Ints  # (F,)
    orders: Ints  # (F,) how many orders of presentation the verdict joins
    consistent: Bools  # (F,) whether the orders gave the same verdict


def fold(items: Ints, raters: Ints, verdicts: Ints, orders: Ints) -> Folded:
    """One verdict per (item, rater): orders that disagree are a tie.

    orders: (V,) a code of the presentation's order. Repeats within one order are reduced to
    their strict plurality first (a tie where there is none), so that one slip among five
    resamples does not make the whole verdict a tie.
    """
    items, raters, verdicts, orders = (
        np.asarray(a, dtype=np.int64) for a in (items, raters, verdicts, orders)
    )
    within, code = np.unique(np.stack([items, raters, orders], axis=1), axis=0, return_inverse=True)
    by_order, _ = plurality(count_table(code.ravel(), verdicts, n_items=len(within)))
    pairs, code = np.unique(within[:, :2], axis=0, return_inverse=True)
    table = count_table(code.ravel(), by_order, n_items=len(pairs))
    consistent = (table > 0).sum(axis=1) == 1
    folded = np.where(consistent, VERDICTS[table.argmax(axis=1)], TIE).astype(np.int8)
    return Folded(pairs[:, 0], pairs[:, 1], folded, table.sum(axis=1), consistent)


def first_presentation(items: Ints, raters: Ints, repeats: Ints) -> Ints:
    """The rows that hold each person's first answer on each item, (F,).

    A person who is shown an instance again is checked against himself; the second answer is no
    further opinion, and must not count as agreement between people.
    """
    order = np.lexsort((repeats, raters, items))
    keys = np.stack([np.asarray(items)[order], np.asarray(raters)[order]], axis=1)
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    return np.sort(order[fresh])


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Verdicts derived from scores: which of two responses the rater scored higher."""

    groups: Ints  # (P,) the group (one rater on one instance) of each verdict
    first: Ints  # (P,) response i
    second: Ints  # (P,) response j > i
    verdicts: Ints  # (P,)


def pairs_from_scores(groups: Ints, responses: Ints, scores: Floats) -> ScoredPairs:
    """Every pair of responses that one group scored, with the verdict that the scores imply.

    groups: (S,) codes of (rater, instance); responses: (S,) index of the scored response;
    scores: (S,) higher is better.
    """
    codes, rows = np.unique(np.asarray(groups, dtype=np.int64), return_inverse=True)
    width = int(np.max(responses, initial=-1)) + 1
    grid = np.full((len(codes), width), np.nan)  # (groups, responses)
    grid[rows, responses] = scores
    first, second = np.triu_indices(width, k=1)
    difference = grid[:, second] - grid[:, first]  # (groups, pairs)
    row, pair = np.nonzero(~np.isnan(difference))
    verdicts = np.sign(difference[row, pair]).astype(np.int8)
    return ScoredPairs(codes[row], first[pair], second[pair], verdicts)


def consecutive(*columns: Ints) -> tuple[Ints, NDArray[np.int64]]:
    """Codes 0…n-1 for the distinct rows of `columns`, (V,), and those rows, (n, len(columns))."""
    stacked = np.stack([np.asarray(c, dtype=np.int64) for c in columns], axis=1)
    rows, codes = np.unique(stacked, axis=0, return_inverse=True)
    return codes.ravel(), rows
