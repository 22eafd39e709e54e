"""The schema `masks`: pairs with marks in their sentences, as the export `masked` writes them.

Beside the preference the marks come back as a label on the aspect `sentences`, by the person `imported` (the judge,
where `source` says `ai`).
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft
from ledger.imports.marks import Mark, marked
from ledger.imports.preference import KNOWN as OF_PAIRS
from ledger.imports.preference import paired, response, split_prompt

SIDES = ("chosen", "rejected")
KNOWN = OF_PAIRS | {f"{side}_{what}" for side in SIDES for what in ("sentences", "mask")}
TASK = "sentences"


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    prompt, *texts = split_prompt(row)
    sides = [response(side, text, side) for side, text in zip(SIDES, texts, strict=True)]
    draft = paired(row, prompt, *sides, known=KNOWN)
    marks = [
        mark_of(place, f"{name}_sentences[{at}]", draft.responses.index(side), side.text)
        for name, side in zip(SIDES, sides, strict=True)
        for at, place in enumerate(row.get(f"{name}_sentences") or ())
    ]
    label = marked(row, TASK, marks)
    label.aspect = TASK
    draft.labels.append(label)
    return draft


def mark_of(held: Any, name: str, index: int, text: str) -> Mark:
    """A sentence as a mark. Raises `BadRow` where it does not stand in the text."""
    if not isinstance(held, dict) or not all(isinstance(held.get(end), int) for end in ("start", "end")):
        raise BadRow(f"{name} must be an object with start, end, text and mark.")
    start, end = held["start"], held["end"]
    if held.get("text") != text[start:end]:
        raise BadRow(f"{name} does not stand at {start} … {end} of its response.")
    return {"response": index, "start": start, "end": end, "label": held.get("mark")}
