"""What people would say of every pair, believed from the labels that are known: the heart of `defer`.

The model (`routing.effects`) is fitted to people's labels. The standing judge's verdict is a feature with a
prior of trust, so that where evidence is thin the belief is the judge's verdict; features, other judges and
shared responses move it as labels come in. How noisy people are is learnt through the variances: the more
labels of related questions follow from each other, the larger the effects, and the more one label counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from routing.effects import GRID_WEIGHTS, Design, Latent, Priors, VerdictModel, chances
from routing.features.base import Block, gather
from routing.features.strengths import MODEL_PRECISION, components, model_columns
from routing.questions import Questions, questions
from routing.table import Floats, Ints, Known, Table

# Prior means in log-odds. A judge agrees with a person in about two of three cases of three answers, and a
# judge's tie is a person's tie in about half: softmax(-1, -0.3, 1) and softmax(0, 0.7, 0). The eleven judges of the
# published sets agree in 0.62 ± 0.06 of the cases, and people tie in 0.11 … 0.23: about 0.25 and 0.5 in log-odds.
TRUST = {"judges.standing": 1.0, "judges.others": 0.3, "strengths.standing": 0.3, "strengths.others": 0.2}
TIE_LEVEL = -0.3
JUDGED_TIE = {"judges.tie": 1.0}
FIRM = 1 / 0.25**2  # precision of the weights with a prior opinion
FIRM_LEVEL = 1 / 0.5**2
SCARCE = 0.7  # how much less often a mean of ratings ties than a single person's verdict


@dataclass(frozen=True, slots=True)
class Scales:
    """Standard deviations in log-odds of one label: of responses' qualities, and of a feature's weight.

    What a pair adds to its responses' qualities is taken to be half as large as they are: with all labels of a pair,
    1.2, 1.5, 0.25 and 0.35 times as large fits best on the public sets. One label a pair cannot tell what is particular
    to the pair from noise; but how well labels of related pairs follow from each other can be told, and reliable people
    are reliable in both.
    """

    response: float
    weight: float

    def penalty(self, prior: Scales) -> float:
        """Minus the log-prior: log-normal around `prior`, `SPREAD` being one deviation."""
        response = np.log(self.response / prior.response) / np.log(SPREAD.response)
        weight = np.log(self.weight / prior.weight) / np.log(SPREAD.weight)
        return 0.5 * float(response**2 + weight**2)


# People's reliability where their labels cannot tell it. One label a pair of the public sets puts it at 0.7 (mtbench),
# 1.5 (pandalm, whose people were chosen for their agreement), 1.5 (conala_code) and 0.5 (ukp_convarg): 0.9 in the mean
# of logarithms, 0.8 … 1.2 without any one of them, with a deviation of a factor of 1.7.
START = Scales(response=1.15, weight=0.2)
SPREAD = Scales(response=1.8, weight=2.7)
OWN = 0.5  # what a pair adds, of what its responses bring
LINKED = 0.5  # share of questions whose responses both occur elsewhere, from which on exploring pays
STEP = 1.5  # the factor between neighbouring scales in the search
LEAST = Scales(response=0.2, weight=0.05)
MOST = Scales(response=1.8, weight=0.5)  # beyond it the quadrature is too coarse


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A table as the model reads it: questions, design rows, and prior means and precisions."""

    asked: Questions
    design: Design
    mean: Floats
    precision: Floats  # NaN where the search sets it
    graded: bool
    linked: bool  # whether most questions share responses with others

    def priors(self, scales: Scales) -> Priors:
        """Priors whose meaning for one label does not depend on how much labels of a pair or of a response share.

        Effects of variance v in all flatten what the rest says about a label by sqrt(1 + π v / 2) (the
        logistic-normal approximation of MacKay 1992, on twice the direction), so the rest is scaled up by it.
        """
        shared, own = scales.response**2, (OWN * scales.response) ** 2
        stretch = float(np.sqrt(1 + np.pi * (2 * shared + own) / 2))
        precision = np.where(np.isnan(self.precision), 1 / scales.weight**2, self.precision)
        return Priors(
            mean=self.mean * stretch,
            precision=precision / stretch**2,
            response=shared,
            pair=own,
            tie=shared,
        )


def frame(table: Table, names: Sequence[str] | None = None) -> Frame:
    """The table's frame over all features, built once."""
    if "frame" not in table.cache:
        table.cache["frame"] = build_frame(table, gather(table, names))
    found = table.cache["frame"]
    assert isinstance(found, Frame)
    return found


def build_frame(table: Table, found: Block) -> Frame:
    asked = questions(table)
    odd, even = asked.stack(found)
    models = model_columns(asked, len(table.models))
    design = Design(
        odd=np.hstack([odd, models]),
        even=np.hstack([np.ones((asked.size, 1)), even]),
        pair=asked.response,
    )
    nothing = [0.0] * models.shape[1]
    mean = [TRUST.get(name, 0.0) for name in found.odd] + nothing
    mean += [TIE_LEVEL] + [JUDGED_TIE.get(name, 0.0) for name in found.even]
    precision = [FIRM if name in TRUST else np.nan for name in found.odd] + [MODEL_PRECISION] * len(nothing)
    precision += [FIRM_LEVEL] + [FIRM if name in JUDGED_TIE else np.nan for name in found.even]
    return Frame(
        asked=asked,
        design=design,
        mean=np.array(mean),
        precision=np.array(precision),
        graded=table.graded,
        linked=bool(asked.size) and float((asked.response >= 0).all(axis=1).mean()) >= LINKED,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """By question (N, …): P(first, tie, second) before and after its own labels, and the joint of two more.

    `after` is what a fresh person would say; `joint[y, g]` that one says y and another g.
    """

    before: Floats  # (N, 3)
    after: Floats  # (N, 3)
    joint: Floats  # (N, 3, 3)
    scales: Scales


def likelihood(chance: Floats, counts: Floats) -> Floats:
    """P(the labels counted | node) for chances (n, Q, 3) and counts (n, 3), without the order: (n, Q)."""
    logs = np.log(np.maximum(chance, 1e-12))
    powers: Floats = np.exp(np.einsum("nqk,nk->nq", logs, counts))
    return powers


def left_out(model: VerdictModel) -> float:
    """The log-probability of each question's labels given all others', summed."""
    chance = chances(model.cavity())
    given = likelihood(chance, model.counts) @ GRID_WEIGHTS
    return float(np.log(np.maximum(given, 1e-12)).sum())


def fit(
    framed: Frame, counts: Floats, table: Table, scales: Scales, start: VerdictModel | None
) -> VerdictModel:
    labelled = np.flatnonzero(counts.sum(axis=1) > 0)
    model = VerdictModel(framed.priors(scales), components(table))
    return model.fit(framed.design.rows(labelled), counts[labelled], start=start)


def search(
    framed: Frame, counts: Floats, table: Table, start: Scales, prior: Scales
) -> tuple[Scales, VerdictModel]:
    """The scales with the best left-out score times prior, by coordinate steps from `start`."""
    best, model = start, fit(framed, counts, table, start, None)
    score = left_out(model) - best.penalty(prior)
    improved = True
    while improved:
        improved = False
        for candidate in neighbours(best):
            tried = fit(framed, counts, table, candidate, model)
            value = left_out(tried) - candidate.penalty(prior)
            if value > score + 1e-3:
                best, model, score, improved = candidate, tried, value, True
                break
    return best, model


def neighbours(scales: Scales) -> list[Scales]:
    """One step up or down in each coordinate, inside the bounds."""
    found = []
    for name in ("response", "weight"):
        for factor in (STEP, 1 / STEP):
            value = getattr(scales, name) * factor
            if getattr(LEAST, name) <= value <= getattr(MOST, name):
                found.append(replace(scales, **{name: value}))
    return found


def believe(
    table: Table, known: Known, *, start: Scales = START, prior: Scales = START, tune: bool = True
) -> Belief:
    """Beliefs about every question, given the labels that are known; the scales are searched where `tune`.

    The search begins at `start`; `prior` is what the scales are taken to be before any label.
    """
    framed = frame(table)
    counts = framed.asked.counts(known)
    if len(known) and tune:
        scales, model = search(framed, counts, table, start, prior)
    else:
        scales, model = start, fit(framed, counts, table, start, None)
    latent = model.latent(framed.design)
    labelled = np.flatnonzero(counts.sum(axis=1) > 0)
    if len(labelled):
        apart = model.cavity()
        latent.mean[labelled], latent.covariance[labelled] = apart.mean, apart.covariance
    return conclude(latent, counts, scales, framed.graded)


def conclude(latent: Latent, counts: Floats, scales: Scales, graded: bool) -> Belief:
    """Beliefs from the latents without own labels, and the own labels counted (N, 3)."""
    chance = chances(latent)  # (N, Q, 3)
    weight = likelihood(chance, counts) * GRID_WEIGHTS
    weight /= weight.sum(axis=1, keepdims=True)
    outcome = settled_chance(chance) if graded else chance
    return Belief(
        before=np.einsum("q,nqg->ng", GRID_WEIGHTS, outcome),
        after=np.einsum("nq,nqg->ng", weight, outcome),
        joint=np.einsum("nq,nqy,nqg->nyg", weight, chance, outcome),
        scales=scales,
    )


def settled_chance(chance: Floats) -> Floats:
    """Chances of a mean of several ratings, which seldom ties: (…, 3)."""
    scarce = chance * np.array([1.0, SCARCE, 1.0])
    total: Floats = scarce / scarce.sum(axis=-1, keepdims=True)
    return total


# How much more probable another verdict must be before it replaces the one that somebody gave: the belief is a
# model's, and models are surer than they should be.
OVER_JUDGE = 0.05
OVER_PERSON = 0.15


def decide(probability: Floats, incumbent: Ints, margin: float) -> Ints:
    """The most probable verdict's column where it beats the incumbent's by `margin`, else that one (…,)."""
    best = probability.argmax(axis=-1)
    held = np.take_along_axis(probability, incumbent[..., None], axis=-1)[..., 0]
    return np.where(probability.max(axis=-1) - held > margin, best, incumbent)


def proven(counts: Floats, bold: Ints, safe: Ints, *, at_least: float) -> bool:
    """Whether `bold` verdicts (N,) were right more often than `safe` ones, by `at_least` standard errors.

    counts (N, 3): labels that took no part in either. The one-standard-error rule of cross-validation (Breiman et
    al. 1984) keeps the simpler choice until the other is better by more than its own noise; a label is taken off, as
    for any count that a normal distribution stands in for, so that two or three labels prove nothing.
    """
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    gained = chance_of(share, bold) - chance_of(share, safe)
    return float(gained.sum()) - 1 > at_least * float(np.sqrt((gained**2).sum()))


def chance_of(probability: Floats, column: Ints) -> Floats:
    """The probability of the given columns: (…, 3), (…,) to (…,)."""
    found: Floats = np.take_along_axis(probability, column[..., None], axis=-1)[..., 0]
    return found


def value_of_asking(belief: Belief, standing: Ints) -> Floats:
    """How much more often the verdict would be right after a person's label (N,).

    standing (N,): the column of the verdict that stands now. Negative where people would make it worse.
    """
    now = chance_of(belief.after, standing)
    said = np.broadcast_to(np.arange(3), belief.joint.shape[:2])
    after = belief.joint / np.maximum(belief.joint.sum(axis=2, keepdims=True), 1e-12)
    then = chance_of(belief.joint, decide(after, said, OVER_PERSON)).sum(axis=1)
    return then - now
