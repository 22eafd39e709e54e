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
MOST_BOTH = 4000  # about so many of them tell the error rate: every nth block of PARTS items
PARTS = 5  # of the cross-fit by which the power is learnt
STEPS, TOLERANCE = 200, 1e-5

# What is believed of a person and of a judge before anything is learnt: rows are true verdicts, columns given ones.
PERSON: Floats = np.array([[0.90, 0.06, 0.04], [0.10, 0.80, 0.10], [0.04, 0.06, 0.90]])
JUDGE: Floats = np.array([[0.70, 0.15, 0.15], [0.25, 0.50, 0.25], [0.15, 0.15, 0.70]])
ERRORS: Floats = np.array([0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3])  # people's error rates that are weighed
ERROR = 0.1  # what is believed of them
Votes = tuple[Ints, Ints, Ints]  # items, raters, verdicts


@dataclass(frozen=True, slots=True)
class Weights:
    """By how many labels each level of the hierarchy is drawn towards the one above."""

    prior: float = 20.0  # a kind of raters towards what is believed of it, their error rate towards ERROR
    rater: float = 10.0  # one rater towards all of the kind
    slice: float = 60.0  # one rater in one slice towards the rater


@dataclass(frozen=True, slots=True)
class People:
    """What people's labels alone say: confusions each (R, 3, 3) and together (3, 3), prevalence (3,), T (I, 3)."""

    each: Floats
    together: Floats
    prevalence: Floats
    log: Floats  # the labels' log-likelihood (I, 3)
    truth: Floats


@dataclass(frozen=True, slots=True)
class Trial:
    """People as read under an error rate, the λ under which judges foretell them best, and the rate's log-posterior."""

    people: People
    power: float
    score: float = 0.0
    error: float | None = None


class Fused(Aggregator):
    """Dawid-Skene (1979) by slice in two steps: people define the truth, judges are read against them.

        T_ik ∝ p_k ∏_{people's labels v of i} π_r[k, v]                        people alone, EM
        π_js[k, v] ∝ w π_j[k, v] + Σ_{i in slice s, j says v} T_ik π_js[k, v]  each judge where people spoke, EM
        P_ik ∝ T_ik ∏_{judges' labels v of i} π_js[k, v]^λ                     the posterior

    Judges err alike (they share data and tastes), so their evidence is taken to the power λ (a logarithmic
    pool, Genest and Zidek 1986). Confusions are symmetric (π[first, v] = π[second, -v]): the order of the responses
    in an instance says nothing. Each is drawn towards the one above it: a slice's to the rater's, a rater's to its
    kind's, that to JUDGE, or to people who err at a rate ε. Judges never define the truth, so no number of them can
    outvote what people say of them.

    Where an item has one person's label, people's labels do not tell how people err; too high an ε lets two judges
    outvote a reliable person, too low a one lets a careless person outvote good judges. Judges that err apart bear it
    out: however many of them agree, they foretell people's labels no better than people err. So the posterior of ε
    is weighed by how well judges, read against other fifths of the items, foretell people's labels (under the best
    λ), with a Beta prior of the mean ERROR; its mean is taken (empirical Bayes). An error goes astray as PERSON's do,
    by the shares in which people give the verdicts. Without enough items of both kinds people are PERSON.

    Where first and second come out alike the verdict is a tie, decided if somebody said so.

    Learned besides: confusions_ (R, 3, 3), a judge's without its slices; prevalence_ (3,); power_ λ; error_ ε, None
    where it is not learnt; both_, how many items have labels of both kinds; predicted_ (I, 3), what a fresh person
    would say: P_i · π_person.
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
        self.asked = np.bincount(said[0], minlength=n_items) > 0
        self.both_ = int((self.asked & (np.bincount(heard[0], minlength=n_items) > 0)).sum())
        held = self.learn(said, heard)
        people, self.power_, self.error_ = held.people, held.power, held.error
        self.prevalence_, self.person_ = people.prevalence, people.together
        self.confusions_ = np.zeros((n_raters, K, K))
        self.confusions_[~judged] = people.each[~judged]
        log_judges = self.read_judges(*heard, truth=people.truth, judged=judged)
        log = np.log(np.maximum(self.prevalence_, FLOOR)) + people.log + self.power_ * log_judges
        labelled = np.bincount(items, minlength=n_items) > 0
        posterior = softmax(log)
        self.predicted_ = posterior @ self.person_
        self.settle(posterior * labelled[:, None], items, raters, verdicts)
        self.decided_ |= level(posterior) & (count_table(items, verdicts, n_items=n_items)[:, TIE_COLUMN] > 0)
        return self

    # ------------------------------------------------------------ people

    def learn(self, said: Votes, heard: Votes) -> Trial:
        """People under the error rate's posterior mean; as PERSON where there is too little to learn it from."""
        if self.both_ < LEAST_BOTH:
            judges = max(len(np.unique(heard[1])), 1)
            return Trial(self.read_people(*said, believed=PERSON), float(1 / np.sqrt(judges)))
        step = -(-self.both_ // MOST_BOTH)
        few, heard_few = thinned(said, step), thinned(heard, step)
        log = np.array([self.tried(few, heard_few, float(error)).score for error in ERRORS])
        return self.tried(said, heard, float(softmax(log[None])[0] @ ERRORS))

    def tried(self, said: Votes, heard: Votes, error: float) -> Trial:
        shares = mirrored(np.bincount(column(said[2]), minlength=K) + 1.0)
        people = self.read_people(*said, believed=erring(error, shares))
        power, score = self.learn_power(*heard, people=people, said=said)
        weight = self.weights.prior
        prior = (weight * (1 - ERROR) - 1) * np.log(1 - error) + (weight * ERROR - 1) * np.log(error)
        return Trial(people, power, score + float(prior), error)

    def read_people(self, items: Ints, raters: Ints, verdicts: Ints, *, believed: Floats) -> People:
        """People's labels alone, by EM, where people are drawn towards the confusions `believed`.

        Only items with two labels or more tell how people err; the others follow.
        """
        overlap = np.bincount(items, minlength=self.n_items) > 1
        several = overlap[items]
        truth = normalised(count_table(items, verdicts, n_items=self.n_items))
        labelled = truth.sum(axis=1) > 0
        together = believed
        for _ in range(STEPS):
            soft, last = truth[items], together
            cells = tabulate(soft[several], raters[several], verdicts[several], size=self.n_raters)
            together = normalised(symmetric(cells.sum(axis=0)) + self.weights.prior * believed)
            each = normalised(symmetric(cells) + self.weights.rater * together)
            prevalence = mirrored(truth[labelled].sum(axis=0) + 1.0)
            log = likelihood(items, np.log(each)[raters, :, column(verdicts)], size=self.n_items)
            before, truth = truth, softmax(np.log(prevalence) + log) * labelled[:, None]
            moved = np.abs(truth - before).sum() / max(labelled.sum(), 1)
            if np.abs(together - last).max() + moved < TOLERANCE:
                break
        return People(each, together, prevalence, log, truth)

    # ------------------------------------------------------------ judges

    def read_judges(
        self, items: Ints, raters: Ints, verdicts: Ints, *, truth: Floats, judged: Bools
    ) -> Floats:
        """The log-likelihood of judges' labels (I, 3), with confusions learnt on the items that people labelled."""
        tables = self.judge_tables(items, raters, verdicts, truth=truth, learn=self.asked)
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
        self, items: Ints, raters: Ints, verdicts: Ints, *, people: People, said: Votes
    ) -> tuple[float, float]:
        """(λ, log-likelihood) where judges of four parts of the items best foretell people's labels in the fifth."""
        part = np.arange(self.n_items) % PARTS
        log = np.zeros((self.n_items, K))
        for held in range(PARTS):
            learn = self.asked & (part != held)
            tables = self.judge_tables(items, raters, verdicts, truth=people.truth, learn=learn)
            inside = part[items] == held
            at, who, what = items[inside], raters[inside], verdicts[inside]
            given = np.log(np.maximum(tables, FLOOR))[self.slices_[at], who, :, column(what)]
            log += likelihood(at, given, size=self.n_items)
        base, (at, _, what) = np.log(people.prevalence), said
        score = [
            np.log(np.maximum((softmax(base + power * log) @ people.together)[at, column(what)], FLOOR)).sum()
            for power in POWERS
        ]
        best = int(np.argmax(score))
        return float(POWERS[best]), float(score[best])


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


def thinned(votes: Votes, step: int) -> Votes:
    """The votes on every `step`th block of PARTS items."""
    items, raters, verdicts = votes
    kept = items // PARTS % step == 0
    return items[kept], raters[kept], verdicts[kept]


def erring(rate: float, shares: Floats) -> Floats:
    """Confusions (3, 3) of those who err at a rate, as PERSON errs where the verdicts have these shares (3,).

    >>> erring(0.1, np.array([0.5, 0.0, 0.5])).round(3)[0].tolist()
    [0.9, 0.0, 0.1]
    """
    astray = normalised(PERSON * (1 - np.eye(K)) * shares)
    found: Floats = (1 - rate) * np.eye(K) + rate * astray
    return found


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
