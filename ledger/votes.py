"""Labels read as votes: the arrays that statistics and routing compute over."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ledger.models import Aspect, Label, Rater


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """The m live votes on one aspect, one row for each pair of responses that a label orders.

    Rows are sorted by instance, then by label. A judge's two orders are two rows; quality folds them.
    """

    label: NDArray[np.int64]  # (m,) ids
    instance: NDArray[np.int64]  # (m,) ids
    pair: NDArray[np.int16]  # (m, 2) response indices i < j
    rater: NDArray[np.int64]  # (m,) ids
    verdict: NDArray[np.int8]  # (m,) −1: i preferred, 0: tie, 1: j preferred
    probability: NDArray[np.float64]  # (m,) P(j preferred) where the label says so, else NaN
    first: NDArray[np.int16]  # (m,) which of i, j was shown before the other; −1 unknown
    both_bad: NDArray[np.bool_]  # (m,)
    is_person: NDArray[np.bool_]  # (m,)
    raters: dict[int, str]  # names by id
    instances: dict[int, str]  # refs by id

    def __len__(self) -> int:
        return len(self.label)


def read_votes(aspect: Aspect) -> Votes:
    """The aspect's live votes by people and judges."""
    kinds = (Rater.Kind.PERSON, Rater.Kind.JUDGE)
    labels = (
        Label.objects.live()
        .filter(aspect=aspect, project=aspect.project_id, rater__kind__in=kinds)
        .order_by("instance_id", "id")
        .values_list("pk", "instance_id", "rater_id", "rater__kind", "value", "order", "score")
    )
    rows: list[tuple[int, int, int, int, int, int, float, int, bool, bool]] = []
    for pk, instance, rater, kind, value, order, score in labels.iterator(chunk_size=5000):
        probability = np.nan if score is None else score
        bad, person = bool(value.get("both_bad")), kind == Rater.Kind.PERSON
        for i, j, verdict in aspect.task.votes(value):
            rows.append(
                (pk, instance, i, j, rater, verdict, probability, shown_first(order, i, j), bad, person)
            )
    table = np.array(rows, dtype=np.float64).reshape(-1, 10)
    return Votes(
        label=table[:, 0].astype(np.int64),
        instance=table[:, 1].astype(np.int64),
        pair=table[:, 2:4].astype(np.int16),
        rater=table[:, 4].astype(np.int64),
        verdict=table[:, 5].astype(np.int8),
        probability=table[:, 6],
        first=table[:, 7].astype(np.int16),
        both_bad=table[:, 8].astype(bool),
        is_person=table[:, 9].astype(bool),
        raters=dict(Rater.objects.filter(project=aspect.project_id).values_list("pk", "name")),
        instances=dict(aspect.project.instances.values_list("pk", "ref")),
    )


def shown_first(order: list[int], i: int, j: int) -> int:
    """Which of the two responses came first in the order shown; −1 where it is unknown."""
    if i not in order or j not in order:
        return -1
    return i if order.index(i) < order.index(j) else j
