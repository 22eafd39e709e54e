"""Majority: every rater counts once."""

from typing import ClassVar, Self

from quality.consensus.base import Aggregator, normalised
from quality.verdicts import Ints, count_table


class Majority(Aggregator):
    """The strict plurality; an item whose leading verdicts are equally frequent stays undecided.

    >>> import numpy as np
    >>> fitted = Majority().fit(*np.array([[0, 0, 0, 1], [0, 1, 2, 0], [1, 1, 0, -1]]), n_items=2)
    >>> fitted.verdicts_.tolist()
    [1, -1]
    """

    local: ClassVar[bool] = True

    def fit(self, items: Ints, raters: Ints, verdicts: Ints, *, n_items: int) -> Self:
        table = count_table(items, verdicts, n_items=n_items)
        return self.settle(normalised(table), items, raters, verdicts)
