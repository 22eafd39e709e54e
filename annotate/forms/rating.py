"""Every response on a described scale; a slider where the scale has too many steps for keys."""

from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option, number, plain_number
from annotate.forms.grid import Row

MOST_LEVELS = 11
KEYS = "123456789-="
KEYS_FROM_ZERO = "0123456789-"


class RatingForm(AspectForm):
    template = "annotate/tasks/rating.html"

    @cached_property
    def levels(self) -> list[str]:
        """The scale's steps as field values; empty where a slider is shown."""
        low, high, step = self.settings["min"], self.settings["max"], self.settings["step"]
        if not step or (high - low) / step > MOST_LEVELS - 1:
            return []
        return [plain_number(low + n * step) for n in range(round((high - low) / step) + 1)]

    @property
    def is_slider(self) -> bool:
        return not self.levels

    @property
    def step(self) -> str:
        return plain_number(self.settings["step"]) if self.settings["step"] else "any"

    def keys(self) -> str:
        return KEYS_FROM_ZERO if self.levels[:1] == ["0"] else KEYS

    def words(self, level: str) -> str:
        return self.settings["levels"].get(level, "")

    def ends(self) -> tuple[str, str]:
        low, high = plain_number(self.settings["min"]), plain_number(self.settings["max"])
        return (self.words(low) or low, self.words(high) or high)

    def rows(self) -> list[Row]:
        return [self.row(place, index) for place, index in enumerate(self.order, 1)]

    def row(self, place: int, index: int) -> Row:
        given = self.get(f"rating-{index}")
        options = [
            Option(level, level, key, given == level, self.words(level))
            for key, level in zip(self.keys(), self.levels, strict=False)
        ]
        return Row(place, index, self.name(f"rating-{index}"), given, options)

    def main(self) -> dict[str, Any]:
        ratings = {str(index): self.get(f"rating-{index}") for index in range(self.size)}
        given = {index: number(rating) for index, rating in ratings.items() if rating}
        return {"ratings": given} if given else {}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {f"rating-{index}": [plain_number(rating)] for index, rating in value["ratings"].items()}

    def clean(self) -> dict[str, Any] | None:
        missing = [str(row.place) for row in self.rows() if not row.value]
        if self.answered and missing and not self.settings["partial"]:
            self.error = _("Rate every response; missing: %s.") % ", ".join(missing)
            return None
        return super().clean()

    def summary(self) -> str:
        return " · ".join(f"{row.place}: {row.value}" for row in self.rows() if row.value)
