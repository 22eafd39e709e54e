"""Own words, about the instance or about each response."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm


@dataclass(frozen=True)
class Area:
    """One text area: its field, what it holds, and the place of the response that it is about (0: all of them)."""

    field: str
    text: str
    place: int


class TextForm(AspectForm):
    template = "annotate/tasks/text.html"

    def areas(self) -> list[Area]:
        if not self.settings["each"]:
            return [Area(self.name("text"), self.get("text"), 0)]
        return [
            Area(self.name(f"text-{index}"), self.get(f"text-{index}"), place)
            for place, index in enumerate(self.order, 1)
        ]

    def main(self) -> dict[str, Any]:
        if not self.settings["each"]:
            return {"text": unix(self.get("text"))} if self.get("text") else {}
        texts = {str(index): unix(self.get(f"text-{index}")) for index in range(self.size)}
        return {"texts": texts} if any(texts.values()) else {}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        if not self.settings["each"]:
            return {"text": [value["text"]]}
        return {f"text-{index}": [text] for index, text in value["texts"].items()}

    def clean(self) -> dict[str, Any] | None:
        empty = [str(area.place) for area in self.areas() if not area.text]
        if self.answered and empty:
            self.error = _("Write about every response; missing: %s.") % ", ".join(empty)
            return None
        return super().clean()

    def summary(self) -> str:
        return " · ".join(area.text[:60] for area in self.areas() if area.text)


def unix(text: str) -> str:
    """Forms post line ends as CR LF."""
    return text.replace("\r\n", "\n")
