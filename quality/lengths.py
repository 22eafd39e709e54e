"""Lengths of responses, and the judge that everybody must beat: the longer wins."""

import numpy as np
from django.db.models.functions import Length

from ledger.models import Project, Response
from quality.readings import Reading
from quality.verdicts import Ints


def response_lengths(project: Project) -> dict[tuple[int, int], int]:
    """The length in characters of every response, by instance and index."""
    rows = Response.objects.filter(instance__project=project).annotate(length=Length("text"))
    return {(pk, index): length for pk, index, length in rows.values_list("instance_id", "index", "length")}


def item_lengths(reading: Reading, lengths: dict[tuple[int, int], int]) -> Ints:
    """The lengths of each item's two responses, (I, 2)."""
    pairs = zip(reading.instance.tolist(), reading.pair.tolist(), strict=True)
    return np.array([[lengths[pk, i], lengths[pk, j]] for pk, (i, j) in pairs], dtype=int).reshape(-1, 2)


def longer_wins(sizes: Ints) -> Ints:
    """The baseline's verdicts, (I,): the longer response, a tie where both are as long."""
    return np.sign(sizes[:, 1] - sizes[:, 0]).astype(np.int8)
