"""Marks in a text: chosen spans, or a label for each sentence or step."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option, number
from annotate.forms.grid import Row
from ledger.segments import Segment, sentences, steps

NONE = "none"
QUOTES = 3  # rows for quoting without scripts


@dataclass(frozen=True)
class Shown:
    """A mark as the screen lists it."""

    value: str
    place: int
    text: str
    label: str


class SpansForm(AspectForm):
    """Spans are posted as `response:start:end:label`, or as a quotation that is looked up in the response."""

    template = "annotate/tasks/spans.html"
    needs_offsets: ClassVar[bool] = True

    def labels(self) -> list[Option]:
        return [Option(label, label, str(key), False) for key, label in enumerate(self.settings["labels"], 1)]

    @property
    def none(self) -> bool:
        return self.get(NONE) == "on"

    def quotes(self) -> range:
        return range(QUOTES)

    def marks(self) -> list[dict[str, Any]]:
        posted = [mark for mark in map(self.read, self.get_all("mark")) if mark]
        return posted + [mark for mark in map(self.quoted, self.quotes()) if mark]

    def read(self, text: str) -> dict[str, Any] | None:
        parts = text.split(":", 3)
        if len(parts) < 4:
            return None
        index, start, end = map(number, parts[:3])
        return {"response": index, "start": start, "end": end, "label": parts[3]}

    def quoted(self, row: int) -> dict[str, Any] | None:
        """The mark for the quotation in `row`; an unknown one is kept for the error that names it."""
        words, label, index = (
            self.get(f"quote-{row}"),
            self.get(f"label-{row}"),
            number(self.get(f"response-{row}")),
        )
        if not words or not isinstance(index, int) or not 0 <= index < len(self.texts):
            return None
        start = self.texts[index].find(words)
        if start < 0:
            self.error = _("“%s” is not in that response.") % words[:80]
            return None
        return {"response": index, "start": start, "end": start + len(words), "label": label}

    def shown(self) -> list[Shown]:
        return [self.show(mark) for mark in self.marks() if self.is_inside(mark)]

    def show(self, mark: dict[str, Any]) -> Shown:
        index, start, end, label = mark["response"], mark["start"], mark["end"], mark["label"]
        place = self.order.index(index) + 1
        return Shown(f"{index}:{start}:{end}:{label}", place, self.texts[index][start:end][:80], label)

    def is_inside(self, mark: dict[str, Any]) -> bool:
        index, start, end = mark["response"], mark["start"], mark["end"]
        numbers = all(isinstance(value, int) for value in (index, start, end))
        return numbers and 0 <= index < len(self.texts) and 0 <= start < end <= len(self.texts[index])

    def main(self) -> dict[str, Any]:
        marks = self.marks()
        return {"marks": marks} if marks or self.none else {}

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        marks = [f"{m['response']}:{m['start']}:{m['end']}:{m['label']}" for m in value["marks"]]
        return {"mark": marks} if marks else {NONE: ["on"]}

    def clean(self) -> dict[str, Any] | None:
        marks = self.marks()
        if self.error:
            return None
        if any(not self.is_inside(mark) for mark in marks):
            self.error = _("A mark lies outside its response.")
            return None
        if not marks and not self.none and self.aspect.required:
            self.error = _("Mark something, or say that there is nothing to mark.")
            return None
        return super().clean()

    def summary(self) -> str:
        return (
            _("%s marks") % len(self.marks()) if self.marks() else (_("nothing to mark") if self.none else "")
        )


@dataclass(frozen=True)
class SegmentRow(Row):
    """A sentence or step with its choices."""

    start: int = 0
    end: int = 0
    text: str = ""


class SegmentsForm(SpansForm):
    """One choice a segment; in the order of the screen, then of the text."""

    template = "annotate/tasks/segments.html"

    def segments(self, index: int) -> list[Segment]:
        """Where the text of the response divides."""
        raise NotImplementedError

    def rows(self) -> list[SegmentRow]:
        return [
            self.segment_row(place, index, segment)
            for place, index in enumerate(self.order, 1)
            for segment in self.segments(index)
        ]

    def segment_row(self, place: int, index: int, segment: Segment) -> SegmentRow:
        start, end = segment
        given = self.get(f"seg-{index}-{start}-{end}")
        labels = enumerate(self.settings["labels"], 1)
        options = [Option(label, label, str(key), given == label) for key, label in labels]
        field = self.name(f"seg-{index}-{start}-{end}")
        return SegmentRow(place, index, field, given, options, start, end, self.texts[index][start:end])

    def marks(self) -> list[dict[str, Any]]:
        return [
            {"response": row.index, "start": row.start, "end": row.end, "label": row.value}
            for row in self.rows()
            if row.value
        ]

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {f"seg-{m['response']}-{m['start']}-{m['end']}": [m["label"]] for m in value["marks"]}

    def clean(self) -> dict[str, Any] | None:
        missing = sum(not row.value for row in self.rows())
        if missing and (self.answered or self.aspect.required):
            self.error = _("Not marked yet: %s.") % missing
            return None
        return super().clean()


class SentencesForm(SegmentsForm):
    def segments(self, index: int) -> list[Segment]:
        return sentences(self.texts[index])


class StepsForm(SegmentsForm):
    def segments(self, index: int) -> list[Segment]:
        return steps(self.texts[index])
