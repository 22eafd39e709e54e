"""Which two of three are alike: one key each."""

from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option

PLACES = ((1, 2), (1, 3), (2, 3))


class TripletForm(AspectForm):
    template = "annotate/tasks/scale.html"
    field = "alike"

    def options(self) -> list[Option]:
        return [self.option(key, one, two) for key, (one, two) in enumerate(PLACES, 1)]

    def option(self, key: int, one: int, two: int) -> Option:
        pair = sorted((self.order[one - 1], self.order[two - 1]))
        value = f"{pair[0]}-{pair[1]}"
        words = _("%(one)s and %(two)s are alike") % {"one": one, "two": two}
        return Option(value, words, str(key), self.get("alike") == value)

    def main(self) -> dict[str, Any]:
        chosen = self.get("alike").split("-")
        return {"alike": [int(index) for index in chosen if index.isdecimal()]} if len(chosen) == 2 else {}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {"alike": ["-".join(map(str, value["alike"]))]}

    def summary(self) -> str:
        return next((option.words for option in self.options() if option.chosen), "")
