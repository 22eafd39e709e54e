"""How good each rater is, judged by the others only."""

from dataclasses import dataclass

import numpy as np

from quality.intervals import wilson
from quality.verdicts import VERDICTS, Floats, Ints, column, plurality


@dataclass(frozen=True, slots=True)
class Skills:
    """Each rater against the other raters of the same items. All (R,); shares are nan where n is 0."""

    labels: Ints  # labels given
    pairs: Ints  # comparisons with single labels of others
    each: Floats  # share of them that agree
    compared: Ints  # labels on items where the others have a strict plurality
    majority: Floats  # share of them that agree with it
    low: Floats  # Wilson interval of `majority`
    high: Floats


def skills(items: Ints, raters: Ints, verdicts: Ints, *, table: Ints, n_raters: int) -> Skills:
    """Leave-one-out agreement of every rater; `table` (I, 3) counts all labels, the rater's own included."""
    others = table[items] - np.eye(VERDICTS.size, dtype=table.dtype)[column(verdicts)]  # (V, 3)
    same = np.take_along_axis(others, column(verdicts)[:, None], axis=1)[:, 0]
    majority, strict = plurality(others)

    def total(values: Ints) -> Ints:
        return np.bincount(raters, weights=values, minlength=n_raters).astype(int)

    pairs, compared = total(others.sum(axis=1)), total(strict)
    agreed, right = total(same), total(strict & (majority == verdicts))
    low, high = wilson(right, compared)
    return Skills(
        labels=np.bincount(raters, minlength=n_raters),
        pairs=pairs,
        each=share_of(agreed, pairs),
        compared=compared,
        majority=share_of(right, compared),
        low=low,
        high=high,
    )


def share_of(part: Ints, whole: Ints) -> Floats:
    """part / whole, nan where whole is 0."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
