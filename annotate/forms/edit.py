"""Rewriting a response: its text in an area; what was left alone is no edit."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm
from annotate.forms.text import unix
from ledger.task_types.edit import changed_words, word_diff

NONE = "none"


@dataclass(frozen=True)
class EditArea:
    """One response under the pen."""

    field: str
    place: int
    original: str
    text: str

    @property
    def changed(self) -> bool:
        return unix(self.text) != unix(self.original)


class EditForm(AspectForm):
    template = "annotate/tasks/edit.html"

    def areas(self) -> list[EditArea]:
        return [self.area(place, index) for place, index in enumerate(self.order, 1)]

    def area(self, place: int, index: int) -> EditArea:
        original = self.texts[index]
        posted = self.fields.get(self.name(f"edit-{index}"))
        return EditArea(self.name(f"edit-{index}"), place, original, posted[-1] if posted else original)

    @property
    def none(self) -> bool:
        return self.get(NONE) == "on"

    def main(self) -> dict[str, Any]:
        edits = {
            str(index): {"text": unix(area.text), "diff": word_diff(unix(area.original), unix(area.text))}
            for index, area in zip(self.order, self.areas(), strict=True)
            if area.changed
        }
        return {"edits": edits} if edits or self.none else {}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        fields = {f"edit-{index}": [edit["text"]] for index, edit in value["edits"].items()}
        return fields | ({} if value["edits"] else {NONE: ["on"]})

    def clean(self) -> dict[str, Any] | None:
        if not self.answered and self.aspect.required:
            self.error = _("Edit a response, or say that none needs it.")
            return None
        return super().clean()

    def summary(self) -> str:
        edited = [
            (area.place, changed_words(word_diff(area.original, unix(area.text))))
            for area in self.areas()
            if area.changed
        ]
        return " · ".join(
            _("%(n)s: %(words)s words changed") % {"n": place, "words": n} for place, n in edited
        )
