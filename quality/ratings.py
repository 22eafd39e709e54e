"""Rating aspects beyond their pairs: the scores themselves, and the order that people's mean scores imply."""

from dataclasses import dataclass

import numpy as np

from ledger.models import Aspect, Label, Rater
from quality import agreement
from quality.intervals import Estimate, Statistic
from quality.readings import JudgeReading, Reading
from quality.verdicts import TIE, Bools, Floats, Ints, consecutive, pairs_from_scores

RATING = "rating"


@dataclass(frozen=True, eq=False)
class Scores:
    """People's scores of single responses. U rated responses, V scores."""

    rated: Ints  # (U, 2) instance, response index
    units: Ints  # (V,) codes into `rated`
    values: Floats  # (V,)


def people_scores(aspect: Aspect) -> Scores:
    """The live ratings by people, each person's first of an instance."""
    labels = Label.objects.live().filter(
        project=aspect.project_id, aspect=aspect, rater__kind=Rater.Kind.PERSON
    )
    first: dict[tuple[int, int], dict[str, float]] = {}
    for instance, rater, value in labels.order_by("pk").values_list("instance_id", "rater_id", "value"):
        first.setdefault((instance, rater), value["ratings"])
    rows = [
        (instance, int(index), score)
        for (instance, _), given in first.items()
        for index, score in given.items()
    ]
    table = np.array(rows, dtype=float).reshape(-1, 3)
    units, rated = consecutive(table[:, 0], table[:, 1])
    return Scores(rated, units, table[:, 2])


def score_alpha(scores: Scores) -> Estimate:
    """Interval alpha of the scores over rated responses; whole instances are resampled."""
    statistic = agreement.alpha_interval(scores.units, scores.values, n_items=len(scores.rated))
    pairable = np.bincount(scores.units, minlength=len(scores.rated)) > 1
    return statistic.estimate(clusters=scores.rated[pairable, 0])


def mean_order(scores: Scores, reading: Reading) -> tuple[Ints, Bools]:
    """The verdict of people's mean scores on each item, (I,), and where there is one, (I,)."""
    size = len(scores.rated)
    means = np.bincount(scores.units, weights=scores.values, minlength=size) / np.bincount(
        scores.units, minlength=size
    )
    pairs = pairs_from_scores(scores.rated[:, 0], scores.rated[:, 1], means)
    keys = zip(pairs.groups.tolist(), pairs.first.tolist(), pairs.second.tolist(), strict=True)
    known = dict(zip(keys, pairs.verdicts.tolist(), strict=True))
    items = zip(reading.instance.tolist(), *reading.pair.T.tolist(), strict=True)
    found = [known.get(item) for item in items]
    return (
        np.array([verdict or TIE for verdict in found], dtype=np.int8),
        np.array([verdict is not None for verdict in found], dtype=bool),
    )


def versus_mean_no_ties(judge: JudgeReading, mean: Ints, known: Bools) -> Statistic:
    """How often a judge orders two responses as people's mean scores do, where both order them."""
    compared = judge.present & known & (judge.verdicts != TIE) & (mean != TIE)
    return agreement.share(compared & (judge.verdicts == mean), compared)
