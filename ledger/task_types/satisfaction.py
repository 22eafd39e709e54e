"""Satisfaction: how content somebody is with each response, in five described levels."""

from typing import Any

from ledger.task_types.rating import Rating

LEVELS = ("very dissatisfied", "dissatisfied", "neither", "satisfied", "very satisfied")


class Satisfaction(Rating):
    """A rating in 1…5 with the usual words."""

    name = "satisfaction"
    title = "Satisfaction, five levels"

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        words = {str(level): text for level, text in enumerate(LEVELS, 1)}
        return super().settings({"min": 1, "max": 5, "levels": words} | given)


SATISFACTION = Satisfaction()
