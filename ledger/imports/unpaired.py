"""The schema `unpaired`: prompt, completion and a boolean label, as KTO and BCO take them; rows of one prompt join.

What is good becomes a rating of 1, what is bad one of 0, on a scale of 0 … 1, by the person `imported` (the judge,
where `source` says `ai`).
"""

from typing import Any

from ledger.imports.drafts import BadRow, Part, check_prompt, check_ref, rest
from ledger.imports.preference import imported, response
from ledger.imports.row_ids import place_of, ref_of

KNOWN = {"id", "instance", "prompt", "completion", "label", "evidence"}
SCALE = {"min": 0, "max": 1, "step": 1}
FLAGS = {True: 1, False: 0, "true": 1, "false": 0}


def parse(row: dict[str, Any]) -> Part:
    """The part of one row. Raises `BadRow`."""
    good = row.get("label")
    if not isinstance(good, bool | str) or good not in FLAGS:
        raise BadRow(f"label must be true or false, not {good!r:.80}.")
    if row.get("completion") is None:
        raise BadRow("completion is missing.")
    place = place_of(row)
    label = imported(row, "rating", {"ratings": {"0": FLAGS[good]}}, SCALE)
    label.exact = True
    return Part(
        ref=check_ref(ref_of(row)),
        prompt=check_prompt(row.get("prompt")),
        response=response("r1", row["completion"], "completion"),
        index=place.response if place else None,
        metadata=rest(row, KNOWN),
        labels=[label],
    )
