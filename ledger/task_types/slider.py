"""Slider: a rating from 0 to 100 (PRISM, Kirk et al. 2024, arXiv 2404.16019)."""

from typing import Any

from ledger.task_types.rating import Rating


class Slider(Rating):
    """A rating whose scale is 0…100 where nothing else is set."""

    name = "slider"
    title = "Slider, 0 to 100"

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        return super().settings({"min": 0, "max": 100} | given)


SLIDER = Slider()
