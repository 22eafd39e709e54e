"""The best and the worst of several: two rows, the responses as their choices."""

from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option, number
from annotate.forms.grid import Row

KEYS = "123456789-="


class BestWorstForm(AspectForm):
    template = "annotate/tasks/best_worst.html"

    def rows(self) -> list[tuple[str, Row]]:
        """`(title, row)` for the best and the worst."""
        return [(_("Best"), self.row("best")), (_("Worst"), self.row("worst"))]

    def row(self, role: str) -> Row:
        given = self.get(role)
        options = [
            Option(str(index), str(place), KEYS[place - 1 : place], given == str(index))
            for place, index in enumerate(self.order, 1)
        ]
        return Row(0, 0, self.name(role), given, options)

    def main(self) -> dict[str, Any]:
        return {role: number(self.get(role)) for role in ("best", "worst") if self.get(role)}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {role: [str(value[role])] for role in ("best", "worst")}

    def clean(self) -> dict[str, Any] | None:
        if self.answered and len(self.main()) < 2:
            self.error = _("Choose both the best and the worst.")
            return None
        if self.answered and self.get("best") == self.get("worst"):
            self.error = _("The best and the worst cannot be the same response.")
            return None
        return super().clean()

    def summary(self) -> str:
        chosen = ((title, next((o.words for o in row.options if o.chosen), "")) for title, row in self.rows())
        return " · ".join(f"{title}: {place}" for title, place in chosen if place)
