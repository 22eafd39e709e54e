"""Which of two responses, by how much: a row of words, one key each."""

from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option, number

BOTH_BAD = "both_bad"
KEYS = "123456789-="


def degrees(steps: int) -> list[str]:
    """The words for a strength of 1…steps, weakest first; `{n}` is the place of the better response."""
    words = [
        _("{n} barely better"),
        _("{n} slightly better"),
        _("{n} better"),
        _("{n} much better"),
        _("{n} far better"),
    ]
    return {1: words[2:3], 2: words[2:4], 3: words[1:4], 4: words[1:5], 5: words}[steps]


class PairwiseForm(AspectForm):
    template = "annotate/tasks/scale.html"
    field = "strength"

    def strengths(self) -> list[tuple[int, str]]:
        """`(strength in the ledger's sense, words)` from "the left is far better" to "the right is far better"."""
        words = degrees(self.settings["steps"])
        sign = 1 if self.order[0] == 1 else -1  # the ledger's negative means response 0, wherever it is shown
        left = [(sign * s, words[s - 1].format(n=1)) for s in range(len(words), 0, -1)]
        right = [(-sign * s, words[s - 1].format(n=2)) for s in range(1, len(words) + 1)]
        return left + ([(0, _("the same"))] if self.settings["tie"] else []) + right

    def options(self) -> list[Option]:
        chosen = self.get("strength")
        options = [
            Option(str(strength), words, key, chosen == str(strength))
            for key, (strength, words) in zip(KEYS, self.strengths(), strict=False)
        ]
        if self.settings["both_bad"]:
            options.append(Option(BOTH_BAD, _("both bad"), "0", chosen == BOTH_BAD))
        return options

    def main(self) -> dict[str, Any]:
        chosen = self.get("strength")
        if chosen == BOTH_BAD:
            return {"both_bad": True}
        return {"strength": number(chosen)} if chosen else {}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {"strength": [BOTH_BAD if value.get("both_bad") else str(value["strength"])]}

    def summary(self) -> str:
        return next((option.words for option in self.options() if option.chosen), "")
