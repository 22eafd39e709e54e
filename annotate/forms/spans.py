"""Marks in a text: chosen spans, or a label for each sentence or step."""

from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.base import AspectForm, Option, number
from annotate.forms.grid import Row
from ledger.segments import Segment, sentences, steps
from ledger.trajectories import CALL, RESULT, SAID, Step, steps_of

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

    def segments(self, index: int) -> list[Segment]:
        """Where the text of the response divides; nowhere where words are chosen freely."""
        return []

    def steps(self, index: int) -> list[Step]:
        """The steps that are asked about where the response is a trajectory of several messages."""
        return []

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
    """A sentence or step with its choices, by its `number` in the response from 1.

    `at` names its element in the pane, `mark` is its place in the ledger.
    """

    number: int = 0
    at: str = ""
    mark: dict[str, int] = field(default_factory=dict)
    text: str = ""


class SegmentsForm(SpansForm):
    """One choice a segment; in the order of the screen, then of the text."""

    template = "annotate/tasks/segments.html"

    def rows(self) -> list[SegmentRow]:
        found = [self.rows_of(place, index) for place, index in enumerate(self.order, 1)]
        return [replace(row, number=number) for rows in found for number, row in enumerate(rows, 1)]

    def rows_of(self, place: int, index: int) -> list[SegmentRow]:
        """The rows of one response."""
        return [
            self.row(place, index, str(start), {"start": start, "end": end}, self.texts[index][start:end])
            for start, end in self.segments(index)
        ]

    def row(self, place: int, index: int, at: str, mark: dict[str, int], text: str) -> SegmentRow:
        name = field_of({"response": index, **mark})
        given = self.get(name)
        labels = enumerate(self.settings["labels"], 1)
        options = [Option(label, label, str(key), given == label) for key, label in labels]
        return SegmentRow(place, index, self.name(name), given, options, 0, at, mark, text)

    def marks(self) -> list[dict[str, Any]]:
        return [{"response": row.index, **row.mark, "label": row.value} for row in self.rows() if row.value]

    def is_inside(self, mark: dict[str, Any]) -> bool:
        return "message" in mark or super().is_inside(mark)

    def main_fields(self, value: dict[str, Any]) -> dict[str, list[str]]:
        return {field_of(mark): [mark["label"]] for mark in value["marks"]}

    def clean(self) -> dict[str, Any] | None:
        missing = sum(not row.value for row in self.rows())
        if missing and (self.answered or self.aspect.required):
            self.error = _("Not marked yet: %s.") % missing
            return None
        return super().clean()


def field_of(mark: dict[str, Any]) -> str:
    """The field of a segment's mark: `seg-0-3-9` for a stretch of text, `step-0-2` or `step-0-2-1` in a trajectory."""
    kind, keys = ("step", ("message", "call")) if "message" in mark else ("seg", ("start", "end"))
    return "-".join([kind, str(mark["response"]), *(str(mark[key]) for key in keys if key in mark)])


class SentencesForm(SegmentsForm):
    def segments(self, index: int) -> list[Segment]:
        return sentences(self.texts[index])


class StepsForm(SegmentsForm):
    """A response that is a trajectory is judged message by message and call by call, another one by paragraphs."""

    def segments(self, index: int) -> list[Segment]:
        return steps(self.texts[index])

    def steps(self, index: int) -> list[Step]:
        found = steps_of(self.responses[index].messages)
        return [step for step in found if step.kind != RESULT or self.settings["results"]]

    def rows_of(self, place: int, index: int) -> list[SegmentRow]:
        asked = self.steps(index)
        if not asked:
            return super().rows_of(place, index)
        return [self.row(place, index, step_at(step), step_mark(step), gist(step)) for step in asked]


def step_at(step: Step) -> str:
    """`m2` for a message, `m2c0` for a call in it: what names the step's element on the screen."""
    return f"m{step.message}" if step.call is None else f"m{step.message}c{step.call}"


def step_mark(step: Step) -> dict[str, int]:
    return {"message": step.message} if step.call is None else {"message": step.message, "call": step.call}


def gist(step: Step) -> str:
    """A step in a line."""
    if step.kind == SAID:
        return step.text
    return f"{step.tool}({step.text})" if step.kind == CALL else f"{step.tool} → {step.text}".strip()
