"""Wawa: worker agreement with aggregate, the simplest weighting by skill."""

from typing import Self

from quality.consensus.base import Aggregator, expected_agreement, normalised, weighted_table
from quality.verdicts import Floats, Ints, count_table


class Wawa(Aggregator):
    """A majority in which each rater weighs as often as the majority agrees with him (Appen 2021, "Wawa").

        weight_r = share of r's labels that equal the plain majority's verdict

    Robust where raters have too few labels for a confusion table. An item on which the plain
    majority is split counts, for the weights, as agreeing with the verdicts that lead in equal parts.
    """

    def fit(self, items: Ints, raters: Ints, verdicts: Ints, *, n_items: int) -> Self:
        leading = self.leading(items, verdicts, n_items=n_items)
        self.weights_ = expected_agreement(leading, items, raters, verdicts)
        table = weighted_table(items, verdicts, self.weights_[raters], n_items=n_items)
        return self.settle(normalised(table), items, raters, verdicts)

    @staticmethod
    def leading(items: Ints, verdicts: Ints, *, n_items: int) -> Floats:
        """The leading verdicts of each item in equal parts, (I, 3)."""
        table = count_table(items, verdicts, n_items=n_items)
        best = table.max(axis=1, keepdims=True)
        return normalised(((table == best) & (best > 0)).astype(float))
