"""A jury's weights, learnt from people: logistic regression of their verdicts on the members' log-odds.

P(1 preferred) = σ(Σ w_m z_m) with z_m the member's averaged log-odds (0 where it is silent) and w_m ≥ 0, so
that no member is read backwards: members whose weight would be negative are left out and the rest fitted
again. The weights are few beside the labels; still they are frozen in the judge's version, and the audit
says what they are worth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judges.problems import NotEnoughLabels
from ledger.models import Aspect
from quality.logistic import logistic, logit
from quality.readings import read_aspect
from quality.verdicts import Floats
from web.problems import Invalid

LEAST = 30  # people's labels on instances that every member has judged


def jury_weights(aspect: Aspect, members: Sequence[str]) -> list[float]:
    """A weight for each member, by the labels of the raters of these names. Raises `NotEnoughLabels`."""
    reading = read_aspect(aspect)
    found = {judge.name: judge for judge in reading.judges}
    z = np.zeros((reading.n_items, len(members)))
    known = np.ones(reading.n_items, dtype=bool)
    for column, name in enumerate(members):
        p = found[name].probability if name in found else np.full(reading.n_items, np.nan)
        known &= ~np.isnan(p)
        z[:, column] = np.nan_to_num(logit(np.nan_to_num(p, nan=0.5)))
    votes = known[reading.items]
    if votes.sum() < LEAST:
        raise NotEnoughLabels(
            f"A jury learns its weights where people and all of its members have spoken: {int(votes.sum())} labels "
            f"are there, {LEAST} are needed. Run its members as judges of their own first.",
            found=int(votes.sum()),
            needed=LEAST,
        )
    weights = non_negative(z[reading.items[votes]], (reading.verdicts[votes] + 1) / 2)
    if not weights.any():
        raise Invalid("No member of the jury agrees with people, so that there is nothing to weigh.")
    return weights.tolist()


def non_negative(z: Floats, y: Floats) -> Floats:
    """Weights (M,) of the logistic regression without intercept, none below zero. z: (N, M); y: (N,) in
    0…1.
    """
    weights = np.zeros(z.shape[1])
    kept = np.arange(z.shape[1])
    while len(kept):
        fitted = logistic(z[:, kept], y).coefficients
        if (fitted >= 0).all():
            weights[kept] = fitted
            break
        kept = np.delete(kept, np.argmin(fitted))
    return weights
