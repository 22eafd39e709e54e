"""hyper and hyper_fixed: routing by tags (Miranda et al. 2024, arXiv 2410.19133), faithful and mended.

Candidate mixes of human and AI labels over a pilot that carries both; a proxy reward model for each; a
performance prediction model (PPM) from the mix's tag counts to the proxy's accuracy; then the best predicted of
many simulated mixes over the whole project. The pilot is the first half of the budget, up to a tenth of the
project: HyPER itself starts from a dataset that is labelled twice.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from routing.features.base import share_below
from routing.features.tags import EDGES, LENGTH_SCORES, length_scores, tag_names, tags
from routing.mixes import proxy_scores, tag_fill
from routing.policies.base import Policy, Ranking, Reason
from routing.predictors import PREDICTORS, Predictor
from routing.table import Floats, Ints, Known, Mask, Table

CANDIDATES = 250
SIMULATED = 500
FRESH = 100  # mixes on which a predictor is checked
PILOT = 0.1
VALIDATION = 0.3
LEAST_PILOT = 20  # labels, below which nothing can be predicted and the choice is by lot
TEXTUAL = 27
SAID = 3  # tags that a reason names
LOWER = 1.645  # deviations below the mean: the lower end of a one-sided 95 % prediction interval
LENGTH_COLUMNS = slice(TEXTUAL - 3 * LENGTH_SCORES, TEXTUAL)


class Hyper(Policy):
    """Asks in the mix of tags whose reward model is predicted to be best: HyPER as published.

    Raw counts, length bins ranked inside the human part, unregularised quadratic least squares, and the best of many
    simulated mixes. The project's setting `hyper` names another predictor (`routing.predictors`), the selection
    `top_k` (the instances of largest gain, HyPER's first way), and a reward model to train (`routing.mixes`).
    """

    name = "hyper"
    version = "1"
    learns: ClassVar[bool] = True
    regressor: ClassVar[str] = "quadratic"

    def __init__(self) -> None:
        self.trained_on = 0
        self.predictor: Predictor | None = None
        self.worth: Floats = np.zeros(
            0
        )  # what each tag adds to the gain of an instance that has no other (T,)
        self.pilot_labels: tuple[Ints, Ints, Ints] | None = (
            None  # candidate rows, held-out rows, verdicts (n,)
        )

    def batch(self, *, spent: int, cap: int, size: int) -> int:
        """The pilot first, then everything that the budget still allows in one mix."""
        pilot = self.pilot(cap, size)
        return pilot - spent if spent < pilot else cap

    @staticmethod
    def pilot(cap: int, size: int) -> int:
        return min(cap // 2, int(PILOT * size))

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        worth = np.ones(table.size, dtype=bool)
        by_lot = rng.random(table.size)
        asked = known.asked(table.size)
        spent = int(asked.sum())
        if spent < max(self.pilot(cap, table.size), LEAST_PILOT):
            return Ranking(gain=by_lot, worth=worth)
        if self.predictor is None or spent > self.trained_on and self.trained_on < PILOT * table.size:
            self.predictor = self.train(table, known, rng=rng)
            self.trained_on = spent
        if self.predictor is None:
            return Ranking(gain=by_lot, worth=worth)
        mix = self.best_mix(table, asked, cap - spent, rng=rng)
        gain = self.gains(table, mix > 0, tags(table))
        count = tags(table).shape[1]
        one_each = self.gains(table, mix > 0, np.vstack([np.zeros(count), np.eye(count)]))
        self.worth = one_each[1:] - one_each[0]
        top_k = table.hyper.get("selection") == "top_k"
        return Ranking(gain=gain, worth=worth, score=gain if top_k else mix + by_lot / 2)

    def train(self, table: Table, known: Known, *, rng: Generator) -> Predictor | None:
        """The PPM over candidate mixes of the labelled pairs; None where they are of one kind."""
        heard, people = known.plurality(table.size)
        rows = rng.permutation(np.flatnonzero(heard))
        held_out = rows[: int(np.ceil(VALIDATION * len(rows)))]
        rows = rows[len(held_out) :]
        self.pilot_labels = rows, held_out, people
        mixes, accuracy = self.candidates(table, CANDIDATES, rng=rng)
        if accuracy.std() < 1e-9:
            return None
        predictor: Predictor = PREDICTORS.load(table.hyper.get("predictor", self.regressor))()
        return predictor.fit(self.features(table, mixes, rows), accuracy)

    def candidates(self, table: Table, count: int, *, rng: Generator) -> tuple[Mask, Floats]:
        """Mixes of the pilot at random budgets (C, m) and the accuracy of the proxy of each (C,)."""
        assert self.pilot_labels is not None
        rows, held_out, people = self.pilot_labels
        budgets = rng.integers(1, len(rows) + 1, size=count)
        mixes = tag_fill(tags(table)[rows], budgets, rng=rng)
        return mixes, proxy_scores(table, mixes, rows, people[rows], (held_out, people[held_out]))

    def rank_correlation(self, table: Table, *, rng: Generator) -> float | None:
        """Spearman of predicted and true proxy accuracy over mixes that the predictor never saw; None without one."""
        if self.predictor is None or self.pilot_labels is None:
            return None
        mixes, accuracy = self.candidates(table, FRESH, rng=rng)
        if accuracy.std() < 1e-9:
            return None
        predicted, _ = self.predictor.predict(self.features(table, mixes, self.pilot_labels[0]))
        return float(np.corrcoef(share_below(predicted), share_below(accuracy))[0, 1])

    def best_mix(self, table: Table, asked: Mask, room: int, *, rng: Generator) -> Floats:
        """1 for the members of the best predicted of many simulated mixes (n,)."""
        open_ = np.flatnonzero(~asked)
        if not len(open_) or self.predictor is None:
            return np.zeros(table.size)
        budgets = np.full(SIMULATED, min(room, len(open_)))
        simulated = np.zeros((SIMULATED, table.size), dtype=bool)
        simulated[:, open_] = tag_fill(tags(table)[open_], budgets, rng=rng)
        simulated[:, asked] = True
        rows = np.arange(table.size)
        mean, deviation = self.predictor.predict(self.features(table, simulated, rows))
        best = int(np.argmax(self.criterion(mean, deviation)))
        return simulated[best].astype(float)

    def criterion(self, mean: Floats, deviation: Floats) -> Floats:
        return mean

    def features(self, table: Table, mixes: Mask, rows: Ints) -> Floats:
        """Tag counts of the human part (C, T), length bins re-ranked inside it, scaled to the project's size."""
        counts = mixes.astype(float) @ tags(table)[rows]
        inside = [ranked_inside(mixes, values) for values in length_scores(table)[rows].T]
        counts[:, LENGTH_COLUMNS] = np.hstack(inside)
        return counts * (table.size / len(rows))

    def gains(self, table: Table, mix: Mask, flags: Floats) -> Floats:
        """What instances with these flags (k, T) add to the predicted accuracy (k,): alone, as published."""
        assert self.predictor is not None
        alone, _ = self.predictor.predict(flags)
        nothing, _ = self.predictor.predict(np.zeros((1, flags.shape[1])))
        return alone - nothing

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        if self.predictor is None:
            return [Reason(text="Drawn by lot for the pilot.", features={})] * len(instances)
        parts, names = tags(table) * self.worth, tag_names(table)
        return [reason(float(ranking.gain[place]), parts[place], names) for place in instances]


def reason(gain: float, parts: Floats, names: list[str]) -> Reason:
    """In words, with the tags that speak most for it, or most against it; `parts` (T,) are 0 where a tag is absent."""
    text = "A person's label here raises" if gain > 0 else "A person's label here does not raise"
    text += " the predicted quality of the reward model"
    signed = parts if gain > 0 else -parts
    leading = [int(place) for place in np.argsort(-signed)[:SAID] if signed[place] > 0]
    shown = ", ".join(names[place] for place in leading)
    return Reason(text=f"{text}: {shown}." if shown else f"{text}.", features={"gain": gain})


class HyperFixed(Hyper):
    """Asks as HyPER does, with its known defects mended.

    Ranks of the full data, shares with log-budget, standardised ridge, gains at the operating mix, and the lower end
    of the prediction interval decides.
    """

    name = "hyper_fixed"
    regressor = "ridge"

    def criterion(self, mean: Floats, deviation: Floats) -> Floats:
        return mean - LOWER * deviation

    def features(self, table: Table, mixes: Mask, rows: Ints) -> Floats:
        """Shares of the human part by tag, and the logarithm of its share of all (C, T + 1)."""
        human = np.maximum(mixes.sum(axis=1, keepdims=True), 1)
        shares = mixes.astype(float) @ tags(table)[rows] / human
        return np.hstack([shares, np.log(human / len(rows))])

    def gains(self, table: Table, mix: Mask, flags: Floats) -> Floats:
        """What one instance more with these flags (k, T) adds to the operating mix (k,)."""
        assert self.predictor is not None
        count = max(int(mix.sum()), 1)
        total = mix.astype(float) @ tags(table)
        now = np.r_[total / count, np.log(count / table.size)]
        more = np.hstack(
            [(total + flags) / (count + 1), np.full((len(flags), 1), np.log((count + 1) / table.size))]
        )
        with_it, _ = self.predictor.predict(more)
        without, _ = self.predictor.predict(now[None])
        return with_it - without


def ranked_inside(mixes: Mask, values: Floats) -> Floats:
    """How many members of each mix (C, m) fall in each third of the mix's own ranking by values (m,): (C, 3)."""
    members = mixes[:, np.argsort(values, kind="stable")]
    total = np.maximum(members.sum(axis=1, keepdims=True), 1)
    place = np.digitize((np.cumsum(members, axis=1) - 0.5) / total, EDGES)
    return np.stack([(members & (place == third)).sum(axis=1) for third in range(3)], axis=1).astype(float)
