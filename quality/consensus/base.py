"""What every aggregator offers."""

from abc import ABC, abstractmethod
from typing import ClassVar, Self

import numpy as np

from quality.verdicts import VERDICTS, Bools, Floats, Ints, column, plurality

DECIMALS = 9  # probabilities that differ by less are equal: no verdict hangs on rounding


class Aggregator(ABC):
    """Turns labels into one verdict an item.

    Learned by `fit`:
        probabilities_: (I, 3) of first, tie, second; a row of zeros where an item has no label
        verdicts_: (I,) -1, 0, 1
        decided_: (I,) whether that verdict is strictly the most probable one
        skills_: (R,) each rater's expected agreement with the consensus, nan without labels
    """

    fuses: ClassVar[bool] = False  # whether it weighs people's and judges' labels together
    local: ClassVar[bool] = False  # whether an item's verdict follows from that item's labels alone
    probabilities_: Floats
    verdicts_: Ints
    decided_: Bools
    skills_: Floats

    @abstractmethod
    def fit(self, items: Ints, raters: Ints, verdicts: Ints, *, n_items: int) -> Self:
        """Learns from labels: items, raters, verdicts are (V,), one row a label."""

    def settle(self, probabilities: Floats, items: Ints, raters: Ints, verdicts: Ints) -> Self:
        """Sets what is learned from the probabilities of the verdicts, (I, 3)."""
        self.probabilities_ = probabilities
        self.verdicts_, self.decided_ = plurality(probabilities.round(DECIMALS))
        self.skills_ = expected_agreement(probabilities, items, raters, verdicts)
        return self


def expected_agreement(probabilities: Floats, items: Ints, raters: Ints, verdicts: Ints) -> Floats:
    """Each rater's mean probability of being right, (R,)."""
    right = probabilities[items, column(verdicts)]
    size = np.bincount(raters)
    total = np.bincount(raters, weights=right)
    return np.divide(total, size, out=np.full(len(size), np.nan), where=size > 0)


def normalised(table: Floats | Ints) -> Floats:
    """Rows that sum to 1; rows of zeros stay. (I, K) -> (I, K)."""
    totals = table.sum(axis=-1, keepdims=True)
    return np.divide(table, totals, out=np.zeros(table.shape), where=totals > 0)


def weighted_table(items: Ints, verdicts: Ints, weights: Floats, *, n_items: int) -> Floats:
    """The summed weight of each verdict on each item, (I, 3)."""
    cells = np.asarray(items, dtype=np.intp) * VERDICTS.size + column(verdicts)
    return np.bincount(cells, weights=weights, minlength=n_items * VERDICTS.size).reshape(n_items, -1)
