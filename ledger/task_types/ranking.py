"""Ranking: all responses in order, ties allowed."""

from itertools import combinations
from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    Vote,
    clean_extras,
    clean_flag,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)


class Ranking:
    """`{"ranks": [1, 3, 2]}`: the rank of each response in turn, 1 the best; ties share one.

    Ranks are stored dense (1, 2, 2, 3); competition ranks (1, 2, 2, 4) mean the same and are accepted.
    """

    name = "ranking"
    title = "Ranking"

    def fits(self, size: int) -> bool:
        return size >= 2

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        filled = {"tie": clean_flag(given, "tie", True), **shared_settings(given)}
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"ranks", "untouched"} | EXTRAS)
        ranks = value.get("ranks")
        if (
            not isinstance(ranks, list)
            or len(ranks) != size
            or not all(is_whole(r) and 1 <= r <= size for r in ranks)
        ):
            raise InvalidAnswer(
                f"ranks must be {size} whole numbers in 1…{size}, one a response, not {ranks!r:.80}."
            )
        dense = {rank: place for place, rank in enumerate(sorted(set(ranks)), start=1)}
        if len(dense) < size and not settings["tie"]:
            raise InvalidAnswer(
                "Ties are not offered by this aspect: every response needs a rank of its own."
            )
        cleaned: dict[str, Any] = {"ranks": [dense[rank] for rank in ranks]}
        if value.get("untouched") is True:
            cleaned["untouched"] = True
        return cleaned | clean_extras(value, settings)

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        ranks = value["ranks"]
        return [
            (i, j, (ranks[i] > ranks[j]) - (ranks[i] < ranks[j]))
            for i, j in combinations(range(len(ranks)), 2)
        ]


RANKING = Ranking()
