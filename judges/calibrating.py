"""Repaired probabilities: what routing reads in place of a judge's raw ones.

The calibrator is fitted to people's verdicts and cross-fitted by prompt: an instance's repaired probability
comes from a calibrator that saw no label of its prompt. Isotonic where there are labels enough, a factor
and a shift on the log-odds otherwise (with fewer than a thousand an isotonic curve follows the noise).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ledger.models import Aspect
from quality.calibration import CALIBRATORS, fold_of
from quality.readings import JudgeReading, Reading, read_aspect
from quality.verdicts import Bools, Floats, Ints

ENOUGH_FOR_ISOTONIC = 1000
ENOUGH = 50
FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """P(second preferred) by item: `raw` and `probability` (I,), nan where the judge gave none; how it was
    done.
    """

    instance: Ints
    pair: Ints
    raw: Floats
    probability: Floats
    calibrator: str  # "" where there were too few labels, and the probabilities are the raw ones
    labels: int


def fitted(n: int) -> str:
    """The calibrator for `n` labels."""
    return "isotonic" if n >= ENOUGH_FOR_ISOTONIC else "platt"


def repaired_probabilities(aspect: Aspect, rater: int) -> Repaired:
    """The judge's averaged probabilities on every item of the aspect, repaired by people's labels where
    there are enough.
    """
    reading = read_aspect(aspect)
    return _repaired(reading, next(one for one in reading.judges if one.rater == rater))


def every_repair(aspect: Aspect) -> dict[str, Repaired]:
    """The same for each judge that has labelled the aspect, by its name, from one reading of the ledger."""
    reading = read_aspect(aspect)
    return {one.name: _repaired(reading, one) for one in reading.judges}


def _repaired(reading: Reading, judge: JudgeReading) -> Repaired:
    p, y, labelled = _labels(reading, judge)
    if len(p) < ENOUGH:
        return Repaired(reading.instance, reading.pair, judge.probability, judge.probability, "", len(p))
    name = fitted(len(p))
    fold = fold_of(reading.prompt, folds=FOLDS, seed=0)
    repaired = np.full(reading.n_items, np.nan)
    known = ~np.isnan(judge.probability)
    for k in range(FOLDS):
        learn, score = fold[labelled] != k, known & (fold == k)
        if score.any():
            calibrator = CALIBRATORS.load(name)().fit(p[learn], y[learn])
            repaired[score] = calibrator.predict(judge.probability[score])
    return Repaired(reading.instance, reading.pair, judge.probability, repaired, name, len(p))


def _labels(reading: Reading, judge: JudgeReading) -> tuple[Floats, Floats, Ints]:
    """Probability, outcome (0, ½, 1) and item of every label of people that the judge has a probability
    for.
    """
    known: Bools = ~np.isnan(judge.probability[reading.items])
    items = reading.items[known]
    return judge.probability[items], (reading.verdicts[known] + 1) / 2, items
