"""All responses in order: typed ranks or dragging, ties share a rank."""

from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option, number
from annotate.forms.grid import Row

MOST_KEYS = 9  # responses that have a key each; more are ranked by typing numbers


class RankingForm(AspectForm):
    template = "annotate/tasks/ranking.html"

    @property
    def is_typed(self) -> bool:
        return self.size > MOST_KEYS

    def rows(self) -> list[Row]:
        return [self.row(place, index) for place, index in enumerate(self.order, 1)]

    def row(self, place: int, index: int) -> Row:
        given = self.get(f"rank-{index}")
        ranks = range(0) if self.is_typed else range(1, self.size + 1)
        options = [Option(str(rank), str(rank), str(rank), given == str(rank)) for rank in ranks]
        return Row(place, index, self.name(f"rank-{index}"), given, options)

    @property
    def untouched_field(self) -> str:
        return self.name("untouched")

    def main(self) -> dict[str, Any]:
        ranks = [self.get(f"rank-{index}") for index in range(self.size)]
        if not any(ranks):
            return {}
        return {"ranks": [number(rank) for rank in ranks]} | (
            {"untouched": True} if self.get("untouched") else {}
        )

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {f"rank-{index}": [str(rank)] for index, rank in enumerate(value["ranks"])}

    def clean(self) -> dict[str, Any] | None:
        missing = [place for place, index in enumerate(self.order, 1) if not self.get(f"rank-{index}")]
        if self.answered and missing:
            self.error = _("Give every response a rank; missing: %s.") % ", ".join(map(str, missing))
            return None
        return super().clean()

    def summary(self) -> str:
        """As in `2 > 1 = 3`, by the places on the screen."""
        tiers: dict[float, list[str]] = {}
        for row in self.rows():
            if row.value.isdecimal():
                tiers.setdefault(int(row.value), []).append(str(row.place))
        return " > ".join(" = ".join(tiers[rank]) for rank in sorted(tiers))
