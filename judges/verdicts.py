"""Verdicts, and the arithmetic that turns log-odds and scores into the values of a task type."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from judges.items import Question
from judges.requests import NOTHING, Usage

Floats = NDArray[np.float64]
SAME = 1e-9  # scores nearer than this are equal: exact ties after averaging in float64
LEAST = 1e-6  # probabilities are kept this far from 0 and 1 when they become log-odds


@dataclass(frozen=True, slots=True)
class Verdict:
    """One presentation's answer. `order` is the response indices as shown, () where nothing was shown in an
    order.

    `value` is what the aspect's task type stores; `detail` keeps the evidence: log-odds, mass on the
    labels, what was cut; `usage` what it took.
    """

    value: Mapping[str, object]
    order: tuple[int, ...] = ()
    repeat: int = 0
    detail: Mapping[str, object] = field(default_factory=dict)
    rationale: str = ""
    usage: Usage = field(default=NOTHING)


@dataclass(frozen=True, slots=True)
class Failed:
    """The judge gave no verdict on this instance and aspect; stored as a failure, never as a label."""

    reason: str
    raw: str = ""
    usage: Usage = field(default=NOTHING)


Outcome = Verdict | Failed


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def logit(p: float) -> float:
    """log(p / (1 - p)), with p kept off 0 and 1."""
    p = min(max(p, LEAST), 1 - LEAST)
    return math.log(p / (1 - p))


def log_softmax(values: Sequence[float]) -> list[float]:
    """The values minus their log-sum-exp: log-probabilities among themselves alone."""
    top = max(values)
    total = top + math.log(sum(math.exp(value - top) for value in values))
    return [value - total for value in values]


def pair_value(probability: float, question: Question, *, tie: float = 0.0) -> dict[str, object]:
    """The pairwise value of P(response 1 preferred): its strength and the probability itself.

    The strength is the sign times the share of the scale's steps that |2p - 1| reaches, at least 1. Zero
    where the tie's own probability is the largest of the three, or the two are exactly equal, and ties are
    allowed.
    """
    second = probability - tie / 2
    first = 1 - tie - second
    sure = abs(2 * probability - 1)
    value: dict[str, object] = {"probability": round(probability, 6)}
    if question.sure:
        value["confidence"] = min(1 + int(sure * 3), 3)
    if question.ties and (tie > max(first, second) or abs(first - second) < SAME):
        return {"strength": 0, **value}
    steps = min(1 + int(sure * question.steps), question.steps)
    return {"strength": steps if second > first else -steps, **value}


def ranks(scores: Sequence[float], *, ties: bool = True) -> list[int]:
    """The rank of each response, 1 the highest score; equal scores share one, or go by index where none
    may.
    """
    values = np.asarray(scores, dtype=float)
    places = [1 + int(np.sum(values > value + SAME)) for value in values]
    if ties:
        return places
    order = sorted(range(len(places)), key=lambda i: places[i])
    return [1 + order.index(i) for i in range(len(places))]


def scores_from_pairs(n: int, pairs: Sequence[tuple[int, int]], log_odds: Sequence[float]) -> Floats:
    """Least-squares scores (n,) of log-odds z_ij = s_j - s_i, mean zero (HodgeRank: Jiang et al. 2011, eq.
    7).

    For a full round robin this is the mean of each response's log-odds; for a connected ring of comparisons
    it is the unique potential that fits them best.
    """
    incidence = np.zeros((len(pairs), n))
    for row, (i, j) in enumerate(pairs):
        incidence[row, i], incidence[row, j] = -1, 1
    solution = np.linalg.lstsq(incidence, np.asarray(log_odds, dtype=float), rcond=None)[0]
    return np.asarray(solution - solution.mean(), dtype=float)


def scored_value(
    scores: Sequence[float], question: Question, *, spread: Sequence[float] | None = None
) -> dict[str, object]:
    """The task type's value of one score a response, in log-odds units (a difference of 1 is odds of e).

    `spread` (standard deviations) widens a pair's probability by the probit approximation of a Gaussian
    difference (MacKay 1992): the log-odds are divided by sqrt(1 + pi/8 * variance).
    """
    if question.task_type == "ranking":
        return {"ranks": ranks(scores, ties=question.ties)}
    if question.task_type == "rating":
        return {"ratings": rescaled(scores, question)}
    variance = sum(sd * sd for sd in spread) if spread is not None else 0.0
    difference = (scores[1] - scores[0]) / math.sqrt(1 + math.pi / 8 * variance)
    return pair_value(sigmoid(difference), question)


def rescaled(scores: Sequence[float], question: Question) -> dict[str, float]:
    """Scores in log-odds as ratings: the scale's ends at minus and plus infinity, its middle at zero."""
    wide = question.high - question.low
    return {
        str(i): on_scale(question.low + wide * sigmoid(score), question) for i, score in enumerate(scores)
    }


def on_scale(score: float, question: Question) -> float:
    """The nearest point of the aspect's grid; the unrounded score stands in the label's detail."""
    if not question.grid:
        return round(min(max(score, question.low), question.high), 4)
    most = math.floor((question.high - question.low) / question.grid + 1e-9)
    steps = min(max(round((score - question.low) / question.grid), 0), most)
    at = question.low + steps * question.grid
    return int(at) if math.isclose(at, round(at)) else round(at, 6)


def presentable(probabilities: Mapping[str, float]) -> dict[str, float]:
    """Numbers rounded for a label's detail: six digits keep every verdict and make rows comparable."""
    return {key: round(float(value), 6) for key, value in probabilities.items()}
