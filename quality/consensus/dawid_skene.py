"""Dawid-Skene: every rater has a confusion table of his own."""

from typing import Self

import numpy as np

from quality.consensus.base import Aggregator, normalised
from quality.problems import NotConverged
from quality.verdicts import VERDICTS, Floats, Ints, column, count_table

FLOOR = 1e-12  # of a probability before its logarithm


class DawidSkene(Aggregator):
    """EM over true verdicts and raters' confusions (Dawid and Skene 1979, Applied Statistics 28).

        T_ik ∝ p_k ∏_{labels (r, v) of i} π_r[k, v]                            E step
        π_r[k, v] ∝ s m_k[v] + Σ_{r's labels v} T_ik,   p_k ∝ Σ_i T_ik         M step

    The M step draws each rater's row towards the pooled confusion m (m_k[v] ∝ Σ over all labels) with
    the weight of `shrinkage` labels s, as a hierarchical prior would (Paun et al. 2018, TACL 6): with
    a handful of labels a rater the plain estimate (shrinkage=0) takes chance agreement for skill.

    Learned besides: confusions_ (R, 3, 3), true verdict by given one; prevalence_ (3,); steps_.
    Raises `NotConverged` when `steps` do not bring an item's mean change of T below `tolerance`.
    """

    def __init__(self, *, shrinkage: float = 10.0, steps: int = 1000, tolerance: float = 1e-4) -> None:
        self.shrinkage = shrinkage
        self.steps = steps
        self.tolerance = tolerance

    def fit(self, items: Ints, raters: Ints, verdicts: Ints, *, n_items: int) -> Self:
        n_raters = int(np.max(raters, initial=-1)) + 1
        truth = normalised(count_table(items, verdicts, n_items=n_items))  # (I, K)
        labelled = truth.sum(axis=1) > 0
        change = np.inf
        for step in range(1, self.steps + 1):
            self.learn_raters(truth, items, raters, verdicts, n_raters=n_raters)
            before, truth = (
                truth,
                self.posterior(items, raters, verdicts, n_items=n_items) * labelled[:, None],
            )
            change = float(np.abs(truth - before).sum() / max(labelled.sum(), 1))
            if change < self.tolerance:
                self.steps_ = step
                return self.settle(truth, items, raters, verdicts)
        raise NotConverged("Dawid-Skene", steps=self.steps, change=change, tolerance=self.tolerance)

    def learn_raters(
        self, truth: Floats, items: Ints, raters: Ints, verdicts: Ints, *, n_raters: int
    ) -> None:
        """The M step: prevalence_ and confusions_ from the posterior T, (I, 3)."""
        size = VERDICTS.size
        self.prevalence_ = normalised(truth.sum(axis=0))
        cells = np.asarray(raters, dtype=np.intp) * size + column(verdicts)
        soft = truth[items]  # (V, K)
        given = [np.bincount(cells, weights=soft[:, k], minlength=n_raters * size) for k in range(size)]
        counts = np.stack(given, axis=1).reshape(n_raters, size, size).swapaxes(1, 2)  # (R, truth, given)
        self.confusions_ = normalised(counts + self.shrinkage * normalised(counts.sum(axis=0)))

    def posterior(self, items: Ints, raters: Ints, verdicts: Ints, *, n_items: int) -> Floats:
        """The E step: T, (I, 3), of these labels under what was learned; the prevalence without labels."""
        given = np.log(np.maximum(self.confusions_, FLOOR))[raters, :, column(verdicts)]  # (V, K)
        log = np.tile(np.log(np.maximum(self.prevalence_, FLOOR)), (n_items, 1))
        for k in range(VERDICTS.size):
            log[:, k] += np.bincount(items, weights=given[:, k], minlength=n_items)
        odds = np.exp(log - log.max(axis=1, keepdims=True))
        return odds / odds.sum(axis=1, keepdims=True)
