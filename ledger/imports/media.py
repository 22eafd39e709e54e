"""The schema `media`: pairs of images, videos or sounds, as the export `media` writes them for Diffusion-DPO.

The addresses come back as the responses' metadata of that `kind`, the texts beside them as their texts.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, DraftResponse, check_text
from ledger.imports.preference import KNOWN as OF_PAIRS
from ledger.imports.preference import paired

COLUMNS = {"kind", "chosen_text", "rejected_text", "caption", "image_0", "image_1", "label_0"}
KNOWN = OF_PAIRS | COLUMNS
KINDS = ("image", "video", "audio", "media")


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    kind = row.get("kind") or KINDS[0]
    if kind not in KINDS:
        raise BadRow(f"kind must be one of {', '.join(KINDS)}, not {kind!r:.80}.")
    chosen, rejected = (side(row, name, kind) for name in ("chosen", "rejected"))
    return paired(row, row.get("prompt"), chosen, rejected, known=KNOWN)


def side(row: dict[str, Any], name: str, kind: str) -> DraftResponse:
    address = check_text(row.get(name), name)
    if not address:
        raise BadRow(f"{name} must name the {kind}.")
    return DraftResponse(
        name, check_text(row.get(f"{name}_text") or "", f"{name}_text"), metadata={kind: address}
    )
