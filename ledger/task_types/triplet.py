"""Similarity triplet: which two of three responses are alike."""

from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    Vote,
    clean_extras,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)

PAIRS = ([0, 1], [0, 2], [1, 2])


class Triplet:
    """`{"alike": [0, 2]}`: the two that are alike, in ascending order. It orders nothing, so it has no votes."""

    name = "triplet"
    title = "Which two are alike"

    def fits(self, size: int) -> bool:
        return size == 3

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        filled = shared_settings(given)
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        if not self.fits(size):
            raise InvalidAnswer(f"A triplet needs three responses; the instance has {size}.")
        value = require_object(value, allowed={"alike"} | EXTRAS)
        alike = value.get("alike")
        if not isinstance(alike, list) or not all(map(is_whole, alike)) or sorted(alike) not in PAIRS:
            raise InvalidAnswer(f"alike must be two different indices in 0…2, not {alike!r:.80}.")
        return {"alike": sorted(alike)} | clean_extras(value, settings)

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        return []


TRIPLET = Triplet()
