"""The schema `ratings`: one row a response with a number for each attribute, as HelpSteer2 has it.

Rows of one prompt join. Every column of a number becomes a rating on the aspect of that name, by the person
`imported` (the judge, where `source` says `ai`). The file does not tell the scale: it reaches from 0, or the lowest
number, to the highest.
"""

from typing import Any

from ledger.imports.drafts import (
    BadRow,
    DraftLabel,
    Part,
    check_number,
    check_prompt,
    check_ref,
    check_text,
    rest,
)
from ledger.imports.preference import imported, response
from ledger.imports.row_ids import place_of, ref_of

ORIGIN = {"source", "margin", "agreement", "raters", "route", "policy", "row"}
KNOWN = {"id", "instance", "prompt", "response", "model", "rubric", "feedback", "reference", "split"} | ORIGIN
RENAMED = "_rating"  # behind an attribute whose name another column has


def parse(row: dict[str, Any]) -> Part:
    """The part of one row. Raises `BadRow`."""
    if row.get("response") is None:
        raise BadRow("response is missing.")
    numbers = {
        name: check_number(row[name], name) for name in row if name not in KNOWN and is_rated(row[name])
    }
    if not numbers:
        raise BadRow("No column holds a number: a row of ratings has one for each attribute.")
    place = place_of(row)
    part = Part(
        ref=check_ref(ref_of(row)),
        prompt=check_prompt(row.get("prompt")),
        response=response("r1", row["response"], "response"),
        index=place.response if place else None,
        context={"reference": check_text(row["reference"], "reference")} if row.get("reference") else {},
        metadata=rest(row, (KNOWN - ORIGIN) | set(numbers)),
        labels=[rated(row, name, number) for name, number in numbers.items()],
    )
    part.response.model = check_text(row.get("model") or "", "model")
    part.labels[0].rationale = check_text(row.get("feedback") or "", "feedback")
    return part


def is_rated(value: Any) -> bool:
    """Whether it is a number, or a CSV's cell of one."""
    try:
        check_number(value, "")
    except BadRow:
        return False
    return True


def rated(row: dict[str, Any], column: str, number: int | float) -> DraftLabel:
    scale = {"min": min(number, 0), "max": max(number, 1), "step": 1 if isinstance(number, int) else 0}
    label = imported(row, "rating", {"ratings": {"0": number}}, scale)
    plain = column.removesuffix(RENAMED)
    label.aspect = plain if plain in KNOWN else column
    return label
