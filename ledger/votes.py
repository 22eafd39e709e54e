"""Labels read as votes: the arrays that statistics and routing compute over."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from numpy.typing import NDArray

from ledger.models import Aspect, Label, Rater
from ledger.task_types.base import TaskType
from ledger.task_types.pairwise import PAIRWISE

Read = QuerySet[Any, Any]  # labels with the annotation `person`


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
    labels = voting_labels(aspect)
    table = pairwise_rows(labels) if aspect.task_type == PAIRWISE.name else value_rows(labels, aspect.task)
    return Votes(
        label=table[:, 0].astype(np.int64),
        instance=table[:, 1].astype(np.int64),
        rater=table[:, 2].astype(np.int64),
        is_person=table[:, 3].astype(bool),
        pair=table[:, 4:6].astype(np.int16),
        verdict=table[:, 6].astype(np.int8),
        probability=table[:, 7],
        first=table[:, 8].astype(np.int16),
        both_bad=table[:, 9].astype(bool),
        raters=dict(Rater.objects.filter(project=aspect.project_id).values_list("pk", "name")),
        instances=dict(aspect.project.instances.values_list("pk", "ref")),
    )


def voting_labels(aspect: Aspect) -> Read:
    """The labels that are votes, by instance. A person's repeat checks the person and is no further vote."""
    return (
        Label.objects.live()
        .filter(aspect=aspect, project=aspect.project_id)
        .filter(rater__kind__in=(Rater.Kind.PERSON, Rater.Kind.JUDGE))
        .exclude(rater__kind=Rater.Kind.PERSON, repeat__gt=0)
        .annotate(person=ExpressionWrapper(Q(rater__kind=Rater.Kind.PERSON), BooleanField()))
        .order_by("instance_id", "id")
    )


def pairwise_rows(labels: Read) -> NDArray[np.float64]:
    """The table of a pairwise aspect, (m, 10): from columns alone, since parsing JSON triples the time."""
    columns = labels.values_list("pk", "instance_id", "rater_id", "person", "strength", "score", "order__0")
    known = np.array(list(columns), dtype=np.float64).reshape(-1, 7)  # None becomes NaN
    strength, score, front = known[:, 4], known[:, 5], known[:, 6]
    table = np.zeros((len(known), 10))
    table[:, :4] = known[:, :4]
    table[:, 5] = 1  # the pair (0, 1)
    table[:, 6] = np.sign(np.nan_to_num(strength))
    table[:, 7] = score
    table[:, 8] = np.where(np.isnan(front), -1, front)
    table[:, 9] = np.isnan(strength)
    return table


def value_rows(labels: Read, task: TaskType) -> NDArray[np.float64]:
    """The table of any aspect, (m, 10): a row for each pair that a label's value orders."""
    rows: list[tuple[float, ...]] = []
    columns = labels.values_list("pk", "instance_id", "rater_id", "person", "value", "order", "score")
    for pk, instance, rater, person, value, order, score in columns.iterator(chunk_size=5000):
        chance, bad = np.nan if score is None else score, bool(value.get("both_bad"))
        for i, j, verdict in task.votes(value):
            rows.append((pk, instance, rater, person, i, j, verdict, chance, shown_first(order, i, j), bad))
    return np.array(rows, dtype=np.float64).reshape(-1, 10)


def shown_first(order: list[int], i: int, j: int) -> int:
    """Which of the two responses came first in the order shown; −1 where it is unknown."""
    if i not in order or j not in order:
        return -1
    return i if order.index(i) < order.index(j) else j
