"""The schema `steps`: prompt, completions and whether each is right, as stepwise supervision has it.

The response is the steps, one a line. The export tells no more of its text, so that it comes back as an instance of
its own, one for each aspect on which steps were marked; rows of one prompt join.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Part, check_prompt, check_ref, check_text, rest
from ledger.imports.marks import Mark, marked
from ledger.imports.preference import response
from ledger.imports.row_ids import place_of, ref_of

KNOWN = {"id", "instance", "prompt", "completions", "labels", "marks", "agreement", "response", "model"}
TASK = "steps"
WORDS = {True: "right", False: "wrong"}
BETWEEN = "\n"


def parse(row: dict[str, Any]) -> Part:
    """The part of one row. Raises `BadRow`."""
    steps, words = row.get("completions"), row.get("marks")
    labels = row.get("labels")
    if not isinstance(steps, list) or not isinstance(labels, list) or not len(steps) == len(labels) > 0:
        raise BadRow("completions and labels must be lists of one length, one at least.")
    if not all(isinstance(step, str) and step for step in steps):
        raise BadRow("completions must be texts that are not empty.")
    if words is None and not all(isinstance(right, bool) for right in labels):
        raise BadRow("labels must be true or false.")
    if words is not None and (not isinstance(words, list) or len(words) != len(steps)):
        raise BadRow("marks must be a list with one for each completion.")
    place = place_of(row)
    label = marked(row, TASK, placed(steps, words or [WORDS[right] for right in labels]))
    label.aspect = place.aspect if place else TASK
    part = Part(
        ref=check_ref(f"{place.instance}#{label.aspect}" if place else ref_of(row)),
        prompt=check_prompt(row.get("prompt")),
        response=response("r1", BETWEEN.join(steps), "completions"),
        index=place.response if place else None,
        metadata=rest(row, KNOWN),
        labels=[label],
    )
    part.response.model = check_text(row.get("model") or "", "model")
    return part


def placed(steps: list[str], words: list[str]) -> list[Mark]:
    """A mark for each step where it stands in the response."""
    marks, start = [], 0
    for step, word in zip(steps, words, strict=True):
        marks.append({"response": 0, "start": start, "end": start + len(step), "label": word})
        start += len(step) + len(BETWEEN)
    return marks
