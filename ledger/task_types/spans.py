"""Marks in the text of a response: chosen spans, every sentence, or the steps of a reasoning or trajectory.

All three hold the same value, so that one reader serves them: where in which response, and what was said of it.
Offsets count Unicode characters of the response's stored text, from 0, the end not included.
"""

from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    InvalidSettings,
    Vote,
    clean_extras,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)

MOST_MARKS = 2000
MOST_LABELS = 9  # as many as there are keys
KEYS = {"response", "start", "end", "label"}

Mark = dict[str, Any]


class Spans:
    """`{"marks": [{"response": 0, "start": 3, "end": 9, "label": "unsafe"}]}`, sorted; `[]` says that nothing is wrong.

    Marks order no responses, so there are no votes.
    """

    name = "spans"
    title = "Spans in a response"
    labels: tuple[str, ...] = ("factual error", "unsafe", "unsupported")

    def fits(self, size: int) -> bool:
        return size >= 1

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        labels = given.get("labels", list(self.labels))
        if not isinstance(labels, list) or not 1 <= len(labels) <= MOST_LABELS:
            raise InvalidSettings(f"labels must be a list of 1…{MOST_LABELS} texts.")
        if not all(isinstance(label, str) and label for label in labels) or len(set(labels)) < len(labels):
            raise InvalidSettings("labels must be different texts.")
        filled = {"labels": labels, **shared_settings(given)}
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"marks", "first_errors"} | EXTRAS)
        marks = value.get("marks")
        if not isinstance(marks, list) or len(marks) > MOST_MARKS:
            raise InvalidAnswer(f"marks must be a list of at most {MOST_MARKS} marks.")
        cleaned = [self.clean_mark(mark, settings=settings, size=size) for mark in marks]
        unique = {(mark["response"], mark["start"], mark["end"], mark["label"]): mark for mark in cleaned}
        return {"marks": [unique[place] for place in sorted(unique)]} | clean_extras(value, settings)

    def clean_mark(self, mark: Any, *, settings: dict[str, Any], size: int) -> Mark:
        mark = require_object(mark, allowed=KEYS)
        index, start, end, label = (mark.get(key) for key in ("response", "start", "end", "label"))
        if not is_whole(index) or not 0 <= index < size:
            raise InvalidAnswer(f"A mark's response must be in 0…{size - 1}, not {index!r:.80}.")
        if not is_whole(start) or not is_whole(end) or not 0 <= start < end:
            raise InvalidAnswer(f"A mark needs 0 <= start < end, not {start!r:.40} and {end!r:.40}.")
        if label not in settings["labels"]:
            raise InvalidAnswer(f"A mark's label must be one of {settings['labels']}, not {label!r:.80}.")
        return {"response": index, "start": start, "end": end, "label": label}

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        return []


class Sentences(Spans):
    """A mark for each sentence."""

    name = "sentences"
    title = "A mark for each sentence"
    labels = ("good", "factual error", "unsupported", "unsafe")


class Steps(Spans):
    """Each step of a reasoning or tool trajectory is right, wrong or neutral (process supervision).

    Lightman et al. 2023, arXiv 2305.20050. `first_errors` maps a response to the start of its first wrong step.
    """

    name = "steps"
    title = "Steps right, wrong or neutral"
    labels = ("right", "wrong", "neutral")

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        cleaned = super().clean(value, settings=settings, size=size)
        errors: dict[str, int] = {}
        for mark in cleaned["marks"]:
            if mark["label"] == "wrong":
                errors.setdefault(str(mark["response"]), mark["start"])
        return cleaned | {"first_errors": errors}


SPANS = Spans()
SENTENCES = Sentences()
STEPS = Steps()
