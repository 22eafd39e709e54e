"""Rating: every response on a described scale."""

from itertools import combinations
from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    InvalidSettings,
    Vote,
    clean_extras,
    clean_flag,
    is_number,
    refuse_unknown,
    require_object,
    shared_settings,
)


class Rating:
    """`{"ratings": {"0": 4, "1": 2}}`: a number on the aspect's scale for each response, higher better.

    The scale is `min`…`max` in steps of `step` (0: any number); `levels` describes its steps in words.
    `partial` allows some responses to stay unrated (imported ratings do).
    """

    name = "rating"
    title = "Rating"

    def fits(self, size: int) -> bool:
        return size >= 1

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        low, high, step = given.get("min", 1), given.get("max", 5), given.get("step", 1)
        if not all(map(is_number, (low, high, step))) or low >= high or step < 0:
            raise InvalidSettings(f"A scale needs min < max and step >= 0, not {low!r}, {high!r}, {step!r}.")
        levels = given.get("levels", {})
        if not isinstance(levels, dict) or not all(isinstance(text, str) for text in levels.values()):
            raise InvalidSettings("levels must map a level to its description.")
        filled = {
            "min": low,
            "max": high,
            "step": step,
            "levels": levels,
            "partial": clean_flag(given, "partial", False),
            **shared_settings(given),
        }
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"ratings"} | EXTRAS)
        ratings = value.get("ratings")
        if not isinstance(ratings, dict) or not ratings:
            raise InvalidAnswer(f"ratings must map a response's index to a number, not {ratings!r:.80}.")
        known = {str(index) for index in range(size)}
        if not set(ratings) <= known:
            raise InvalidAnswer(
                f"ratings names responses {sorted(set(ratings) - known)}; the instance has {size}."
            )
        if len(ratings) < size and not settings["partial"]:
            raise InvalidAnswer(f"ratings is missing for responses {sorted(known - set(ratings), key=int)}.")
        cleaned = {index: self.clean_rating(ratings[index], settings) for index in sorted(ratings, key=int)}
        return {"ratings": cleaned} | clean_extras(value, settings)

    def clean_rating(self, rating: Any, settings: dict[str, Any]) -> float:
        low, high, step = settings["min"], settings["max"], settings["step"]
        if not is_number(rating) or not low <= rating <= high:
            raise InvalidAnswer(f"A rating must be a number in {low}…{high}, not {rating!r:.80}.")
        steps = (rating - low) / step if step else 0
        if abs(steps - round(steps)) > 1e-9:
            raise InvalidAnswer(
                f"A rating must lie on the scale {low}…{high} in steps of {step}, not {rating!r}."
            )
        return rating

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        ratings = {int(index): rating for index, rating in value["ratings"].items()}
        pairs = combinations(sorted(ratings), 2)
        return [(i, j, (ratings[j] > ratings[i]) - (ratings[j] < ratings[i])) for i, j in pairs]


RATING = Rating()
