"""Marks in the text of a response: chosen spans, every sentence, or the steps of a reasoning or trajectory.

All three hold the same value, so that one reader serves them: where in which response, and what was said of it.
Offsets count Unicode characters of the response's stored text, from 0, the end not included. A step of a
trajectory is named by its message and, for a tool call, the call in it (`ledger.trajectories`).
"""

from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    InvalidSettings,
    Vote,
    clean_extras,
    clean_flag,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)

MOST_MARKS = 2000
MOST_LABELS = 9  # as many as there are keys
KEYS = {"response", "start", "end", "label"}
STEP_KEYS = {"response", "message", "call", "label"}
WRONG = "wrong"

Mark = dict[str, Any]


def place_of(mark: Mark) -> tuple[int, int, int, int]:
    """Where a mark stands in its response, in an order that can be sorted: message, call, start, end."""
    return mark.get("message", -1), mark.get("call", -1), mark.get("start", 0), mark.get("end", 0)


def said(mark: Mark, place: dict[str, int], *, settings: dict[str, Any], size: int) -> Mark:
    """The mark at `place` with its response and its label. Raises `InvalidAnswer` for those that are unknown."""
    index, label = mark.get("response", -1), mark.get("label")
    if not is_whole(index) or not 0 <= index < size:
        raise InvalidAnswer(f"A mark's response must be in 0…{size - 1}, not {index!r:.80}.")
    if label not in settings["labels"]:
        raise InvalidAnswer(f"A mark's label must be one of {settings['labels']}, not {label!r:.80}.")
    return {"response": index, **place, "label": label}


class Spans:
    """`{"marks": [{"response": 0, "start": 3, "end": 9, "label": "unsafe"}]}`, sorted; `[]` says that nothing is wrong.

    Marks order no responses, so there are no votes.
    """

    name = "spans"
    title = "Spans in a response"
    labels: tuple[str, ...] = ("factual error", "unsafe", "unsupported")
    one_label = False  # whether a place takes no second label

    def fits(self, size: int) -> bool:
        return size >= 1

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        labels = given.get("labels", list(self.labels))
        if not isinstance(labels, list) or not 1 <= len(labels) <= MOST_LABELS:
            raise InvalidSettings(f"labels must be a list of 1…{MOST_LABELS} texts.")
        if not all(isinstance(label, str) and label for label in labels) or len(set(labels)) < len(labels):
            raise InvalidSettings("labels must be different texts.")
        filled = {"labels": labels, **self.own_settings(given), **shared_settings(given)}
        refuse_unknown(given, filled)
        return filled

    def own_settings(self, given: dict[str, Any]) -> dict[str, Any]:
        return {}

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"marks", "first_errors"} | EXTRAS)
        marks = value.get("marks")
        if not isinstance(marks, list) or len(marks) > MOST_MARKS:
            raise InvalidAnswer(f"marks must be a list of at most {MOST_MARKS} marks.")
        cleaned = [self.clean_mark(mark, settings=settings, size=size) for mark in marks]
        unique = {(mark["response"], place_of(mark), mark["label"]): mark for mark in cleaned}
        if self.one_label and len({key[:2] for key in unique}) < len(unique):
            raise InvalidAnswer("A place carries two labels; each takes one.")
        return {"marks": [unique[key] for key in sorted(unique)]} | clean_extras(value, settings)

    def clean_mark(self, mark: Any, *, settings: dict[str, Any], size: int) -> Mark:
        mark = require_object(mark, allowed=KEYS)
        start, end = mark.get("start"), mark.get("end")
        if not is_whole(start) or not is_whole(end) or not 0 <= start < end:
            raise InvalidAnswer(f"A mark needs 0 <= start < end, not {start!r:.40} and {end!r:.40}.")
        return said(mark, {"start": start, "end": end}, settings=settings, size=size)

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        return []


class Sentences(Spans):
    """A mark for each sentence."""

    name = "sentences"
    title = "A mark for each sentence"
    labels = ("good", "factual error", "unsupported", "unsafe")
    one_label = True


class Steps(Spans):
    """Each step of a reasoning or tool trajectory is right, wrong or neutral (process supervision).

    Lightman et al. 2023, arXiv 2305.20050. In a response of one text a step is a stretch of it; in a trajectory it is
    `{"response": 0, "message": 2, "call": 0, "label": "wrong"}`, without `call` where the message itself is meant.
    `first_errors` maps a response to its first wrong step: where it starts in the text, or its message. With
    `results` off, the results of tools are shown and not asked about.
    """

    name = "steps"
    title = "Steps right, wrong or neutral"
    labels = ("right", "wrong", "neutral")
    one_label = True

    def own_settings(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"results": clean_flag(given, "results", True)}

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        cleaned = super().clean(value, settings=settings, size=size)
        errors: dict[str, int] = {}
        for mark in cleaned["marks"]:
            if mark["label"] == WRONG:
                errors.setdefault(str(mark["response"]), mark.get("message", mark.get("start")))
        return cleaned | {"first_errors": errors}

    def clean_mark(self, mark: Any, *, settings: dict[str, Any], size: int) -> Mark:
        if not isinstance(mark, dict) or "message" not in mark:
            return super().clean_mark(mark, settings=settings, size=size)
        mark = require_object(mark, allowed=STEP_KEYS)
        place = {key: mark[key] for key in ("message", "call") if key in mark}
        if not all(is_whole(part) and 0 <= part < MOST_MARKS for part in place.values()):
            raise InvalidAnswer(
                f"A step needs the index of a message, and of a call in it, not {place!r:.80}."
            )
        return said(mark, place, settings=settings, size=size)


SPANS = Spans()
SENTENCES = Sentences()
STEPS = Steps()
