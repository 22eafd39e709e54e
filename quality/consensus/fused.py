"""Fused: a posterior over the verdict from people's and judges' labels, with error rates learnt where both spoke."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np

from quality.consensus.base import DECIMALS, Aggregator, normalised
from quality.verdicts import TIE_COLUMN, VERDICTS, Bools, Floats, Ints, column, count_table

K = VERDICTS.size
FLOOR = 1e-12  # of a probability before its logarithm
POWERS: Floats = np.array([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
LEAST_BOTH = 20  # items with both kinds of label below which the power is not learnt
PARTS = 5  # of the cross-fit by which the power is learnt
STEPS, TOLERANCE = 200, 1e-5

# What is believed of a person and of a judge before anything is learnt: rows are true verdicts, columns given ones.
PERSON: Floats = np.array([[0.90, 0.06, 0.04], [0.10, 0.80, 0.10], [0.04, 0.06, 0.90]])
JUDGE: Floats = np.array([[0.70, 0.15, 0.15], [0.25, 0.50, 0.25], [0.15, 0.15, 0.70]])


@dataclass(frozen=True, slots=True)
class Weights:
    """By how many labels each level of the hierarchy is drawn towards the one above."""

    prior: float = 20.0  # all raters of a kind towards PERSON or JUDGE
    rater: float = 10.0  # one rater towards all of the kind
    slice: float = 60.0  # one rater in one slice towards the rater


class Fused(Aggregator):
    """Dawid-Skene (1979) by slice in two steps: people define the truth, judges are read against them.

        T_ik ∝ p_k ∏_{people's labels v of i} π_r[k, v]                        people alone, EM
        π_js[k, v] ∝ w π_j[k, v] + Σ_{i in slice s, j says v} T_ik π_js[k, v]  each judge where people spoke, EM
        P_ik ∝ T_ik ∏_{judges' labels v of i} π_js[k, v]^λ                     the posterior

    Judges err alike (they share data and tastes), so their evidence is taken to the power λ (a logarithmic
    pool, Genest and Zidek 1986) that best foretells people's labels from judges read against other fifths of
    the items. Confusions are symmetric (π[first, v] = π[second, -v]): the order of the responses in an instance
    says nothing. Each is drawn towards the one above it: a slice's to the rater's, a rater's to its kind's,
    that to PERSON or JUDGE. Judges never define the truth, so no number of them can outvote what people say of them.

    Where first and second come out alike the verdict is a tie, decided if somebody said so.

    Learned besides: confusions_ (R, 3, 3), a judge's without its slices; prevalence_ (3,); power_ λ; both_, how many
    items have labels of both kinds; predicted_ (I, 3), what a fresh person would say: P_i · π_person.
    """

    fuses: ClassVar[bool] = True

    def __init__(self, *, weights: Weights = Weights()) -> None:
        self.weights = weights

    def fit(
        self,
        items: Ints,
        raters: Ints,
        verdicts: Ints,
        *,
        n_items: int,
        judges: Bools | None = None,
        slices: Ints | None = None,
    ) -> Self:
        """`judges` (R,): which raters are judges (none: all are people); `slices` (I,): each item's slice."""
        items, raters, verdicts = (np.asarray(a, dtype=np.int64) for a in (items, raters, verdicts))
        n_raters = int(raters.max(initial=-1)) + 1
        judged = np.zeros(n_raters, dtype=bool) if judges is None else np.asarray(judges)[:n_raters]
        self.slices_ = np.zeros(n_items, dtype=np.int64) if slices is None else np.asarray(slices)
        self.n_items, self.n_raters = n_items, n_raters
        by_judge = judged[raters] if len(raters) else np.zeros(0, dtype=bool)
        said = items[~by_judge], raters[~by_judge], verdicts[~by_judge]
        heard = items[by_judge], raters[by_judge], verdicts[by_judge]
        log_people, truth = self.read_people(*said)
        asked = np.bincount(said[0], minlength=n_items) > 0
        self.both_ = int((asked & (np.bincount(heard[0], minlength=n_items) > 0)).sum())
        self.confusions_ = np.zeros((n_raters, K, K))
        self.confusions_[~judged] = self.people_[~judged]
        log_judges = self.read_judges(*heard, truth=truth, asked=asked, judged=judged)
        self.power_ = self.learn_power(*heard, truth=truth, asked=asked, said=said)
        log = np.log(np.maximum(self.prevalence_, FLOOR)) + log_people + self.power_ * log_judges
        labelled = np.bincount(items, minlength=n_items) > 0
        posterior = softmax(log)
        self.predicted_ = posterior @ self.person_
        self.settle(posterior * labelled[:, None], items, raters, verdicts)
        self.decided_ |= level(posterior) & (count_table(items, verdicts, n_items=n_items)[:, TIE_COLUMN] > 0)
        return self

    # ------------------------------------------------------------ people

    def read_people(self, items: Ints, raters: Ints, verdicts: Ints) -> tuple[Floats, Floats]:
        """(log-likelihood of people's labels (I, 3), their posterior T (I, 3)); learns people_ and prevalence_.

        Only items with two labels or more tell how people err; the others follow.
        """
        overlap = np.bincount(items, minlength=self.n_items) > 1
        several = overlap[items]
        truth = normalised(count_table(items, verdicts, n_items=self.n_items))
        labelled = truth.sum(axis=1) > 0
        self.person_, self.prevalence_ = PERSON, np.full(K, 1 / K)
        for _ in range(STEPS):
            soft = truth[items]
            cells = tabulate(soft[several], raters[several], verdicts[several], size=self.n_raters)
            whole = symmetric(cells.sum(axis=0))
            person = normalised(whole + self.weights.prior * PERSON)
            self.people_ = normalised(symmetric(cells) + self.weights.rater * person)
            self.prevalence_ = mirrored(truth[labelled].sum(axis=0) + 1.0)
            log = likelihood(items, np.log(self.people_)[raters, :, column(verdicts)], size=self.n_items)
            before = truth
            truth = softmax(np.log(self.prevalence_) + log) * labelled[:, None]
            moved = np.abs(person - self.person_).max() + np.abs(truth - before).sum() / max(
                labelled.sum(), 1
            )
            self.person_ = person
            if moved < TOLERANCE:
                break
        return log, truth

    # ------------------------------------------------------------ judges

    def read_judges(
        self, items: Ints, raters: Ints, verdicts: Ints, *, truth: Floats, asked: Bools, judged: Bools
    ) -> Floats:
        """The log-likelihood of judges' labels (I, 3), with confusions learnt on the items `asked`."""
        tables = self.judge_tables(items, raters, verdicts, truth=truth, learn=asked)
        if judged.any():
            self.confusions_[judged] = tables.mean(axis=0)[judged]
        given = np.log(np.maximum(tables, FLOOR))[self.slices_[items], raters, :, column(verdicts)]
        return likelihood(items, given, size=self.n_items)

    def judge_tables(
        self, items: Ints, raters: Ints, verdicts: Ints, *, truth: Floats, learn: Bools
    ) -> Floats:
        """Confusions by slice and judge (S, R, 3, 3), from the items where `learn` holds.

        EM of each judge beside the people alone: other judges have no say in what it got right.
        """
        known = learn[items]
        at, who, what = items[known], raters[known], verdicts[known]
        where, size = self.slices_[at], int(self.slices_.max(initial=0)) + 1
        soft, tables = truth[at], np.zeros((size, self.n_raters, K, K))
        for _ in range(STEPS):
            before = tables
            tables = self.drawn_together(soft, where, who, what, size=size)
            soft = normalised(truth[at] * tables[where, who, :, column(what)])
            if np.abs(tables - before).max(initial=0.0) < TOLERANCE:
                break
        return tables

    def drawn_together(
        self, soft: Floats, slices: Ints, raters: Ints, verdicts: Ints, *, size: int
    ) -> Floats:
        """The M step: confusions (S, R, 3, 3) from soft truths (V, 3), each drawn towards the one above it."""
        cells = tabulate(soft, slices * self.n_raters + raters, verdicts, size=size * self.n_raters)
        cells = symmetric(cells.reshape(size, self.n_raters, K, K))
        mine = cells.sum(axis=0)
        kind = normalised(mine.sum(axis=0) + self.weights.prior * JUDGE)
        own = normalised(mine + self.weights.rater * kind)
        return normalised(cells + self.weights.slice * own)

    def learn_power(
        self,
        items: Ints,
        raters: Ints,
        verdicts: Ints,
        *,
        truth: Floats,
        asked: Bools,
        said: tuple[Ints, Ints, Ints],
    ) -> float:
        """The λ under which judges of four parts of the items best foretell people's labels in the fifth."""
        judges = max(len(np.unique(raters)), 1)
        if self.both_ < LEAST_BOTH:
            return float(1 / np.sqrt(judges))
        part = np.arange(self.n_items) % PARTS
        log = np.zeros((self.n_items, K))
        for held in range(PARTS):
            tables = self.judge_tables(items, raters, verdicts, truth=truth, learn=asked & (part != held))
            inside = part[items] == held
            at, who, what = items[inside], raters[inside], verdicts[inside]
            given = np.log(np.maximum(tables, FLOOR))[self.slices_[at], who, :, column(what)]
            log += likelihood(at, given, size=self.n_items)
        base, (at, _, what) = np.log(self.prevalence_), said
        score = [
            np.log(np.maximum((softmax(base + power * log) @ self.person_)[at, column(what)], FLOOR)).sum()
            for power in POWERS
        ]
        return float(POWERS[int(np.argmax(score))])


# ---------------------------------------------------------------- tables


def tabulate(soft: Floats, codes: Ints, verdicts: Ints, *, size: int) -> Floats:
    """How often each code gave each verdict under each truth, (size, 3, 3), from soft (V, 3)."""
    cells = np.asarray(codes, dtype=np.intp) * K + column(verdicts)
    given = [np.bincount(cells, weights=soft[:, k], minlength=size * K) for k in range(K)]
    return np.stack(given, axis=1).reshape(size, K, K).swapaxes(1, 2)


def symmetric(table: Floats) -> Floats:
    """The tables averaged with themselves seen the other way round, (…, 3, 3)."""
    turned: Floats = (table + table[..., ::-1, ::-1]) / 2
    return turned


def mirrored(counts: Floats) -> Floats:
    """Shares (3,) in which first and second are alike."""
    share = counts / counts.sum()
    side = (1 - share[TIE_COLUMN]) / 2
    return np.array([side, share[TIE_COLUMN], side])


def likelihood(items: Ints, given: Floats, *, size: int) -> Floats:
    """The labels' log-likelihoods (V, 3) summed by item, (size, 3)."""
    log = np.zeros((size, K))
    for k in range(K):
        log[:, k] = np.bincount(items, weights=given[:, k], minlength=size)
    return log


def level(posterior: Floats) -> Bools:
    """Where first and second are equally probable and a tie is not more so, (I,)."""
    held = posterior.round(DECIMALS)
    alike: Bools = (held[:, 0] == held[:, -1]) & (held[:, 0] >= held[:, TIE_COLUMN])
    return alike


def softmax(log: Floats) -> Floats:
    odds = np.exp(log - log.max(axis=1, keepdims=True))
    found: Floats = odds / odds.sum(axis=1, keepdims=True)
    return found
