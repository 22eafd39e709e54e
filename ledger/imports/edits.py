"""The schema `edits`: original (`rejected`) and edited (`chosen`), as the export `edits` writes them.

The original comes back as the response, the edit as a label by the person that `rater` names, `imported` where none
is named; rows of one instance join.
"""

from typing import Any

from ledger.imports.drafts import Part, check_prompt, check_ref, check_text, rest
from ledger.imports.preference import RATER, imported, response, split_prompt
from ledger.imports.row_ids import place_of, ref_of
from ledger.task_types.edit import word_diff

KNOWN = {"id", "instance", "prompt", "chosen", "rejected", "distance", "response", "aspect", "rater", "model"}
TASK = "edit"


def parse(row: dict[str, Any]) -> Part:
    """The part of one row. Raises `BadRow`."""
    prompt, chosen, rejected = split_prompt(row)
    original, edited = response("r1", rejected, "rejected"), response("r1", chosen, "chosen")
    edit: dict[str, Any] = {"text": edited.text}
    if row.get("distance") is not None:
        edit["diff"] = word_diff(original.text, edited.text)
    place = place_of(row)
    label = imported(row, TASK, {"edits": {"0": edit}}, {})
    label.aspect = place.aspect if place else TASK
    label.rater = check_text(row.get("rater") or RATER, "rater")
    original.model = check_text(row.get("model") or "", "model")
    return Part(
        ref=check_ref(ref_of(row)),
        prompt=check_prompt(prompt),
        response=original,
        index=place.response if place else None,
        metadata=rest(row, KNOWN),
        labels=[label],
    )
