"""The schema `prompts`: prompts alone, with a reference where there is one, as the export `trl-prompt-only` has them.

They come back as instances without a response: nobody can be asked about one, and no preference was in the file.
"""

from typing import Any

from ledger.imports.drafts import Draft, check_prompt, check_ref, check_text, rest

KNOWN = {"id", "instance", "prompt", "reference"}


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    reference = check_text(row.get("reference") or "", "reference")
    return Draft(
        ref=check_ref(row.get("id") if row.get("id") is not None else row.get("instance")),
        prompt=check_prompt(row.get("prompt")),
        responses=[],
        context={"reference": reference} if reference else {},
        metadata=rest(row, KNOWN),
    ).finish()
