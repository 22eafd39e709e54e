"""Lengths of responses, and the judge that everybody must beat: the longer wins."""

from typing import Any

import numpy as np
from django.db.models.functions import Length

from ledger.models import Project, Response
from quality.readings import Reading
from quality.verdicts import Ints


def response_lengths(project: Project) -> dict[tuple[int, int], int]:
    """The length in characters of every response, by instance and index; of all its turns where it has several."""
    found = Response.objects.filter(instance__project=project)
    rows = found.annotate(length=Length("text")).values_list("instance_id", "index", "length")
    lengths = {(pk, index): length for pk, index, length in rows}
    turns = found.filter(messages__isnull=False).values_list("instance_id", "index", "messages")
    return lengths | {
        (pk, index): continuation_length(messages or []) for pk, index, messages in turns.iterator()
    }


def continuation_length(messages: list[dict[str, Any]]) -> int:
    """Characters of the turns' texts, whoever speaks: the turns of others are the same in every response."""
    contents = (turn.get("content") for turn in messages)
    return sum(len(content) for content in contents if isinstance(content, str))


def item_lengths(reading: Reading, lengths: dict[tuple[int, int], int]) -> Ints:
    """The lengths of each item's two responses, (I, 2)."""
    pairs = zip(reading.instance.tolist(), reading.pair.tolist(), strict=True)
    return np.array([[lengths[pk, i], lengths[pk, j]] for pk, (i, j) in pairs], dtype=int).reshape(-1, 2)


def longer_wins(sizes: Ints) -> Ints:
    """The baseline's verdicts, (I,): the longer response, a tie where both are as long."""
    return np.sign(sizes[:, 1] - sizes[:, 0]).astype(np.int8)
