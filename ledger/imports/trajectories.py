"""The schema `trajectories`: pairs of whole conversations, as the export `multi-turn` writes them.

A row of the level `turn` is a part of the trajectory's row before it, so that nothing is left to say of it; the
schema `preference` imports such rows on their own.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft
from ledger.imports.preference import KNOWN as OF_PAIRS
from ledger.imports.preference import paired, response, split_prompt

KNOWN = OF_PAIRS | {"level", "turn", "turns"}
LEVELS = ("trajectory", "turn")


def parse(row: dict[str, Any]) -> Draft | None:
    """The draft of one row, None of a turn's. Raises `BadRow`."""
    if row.get("level") not in LEVELS:
        raise BadRow(f"level must be one of {', '.join(LEVELS)}, not {row.get('level')!r:.80}.")
    if row["level"] == "turn":
        return None
    prompt, chosen, rejected = split_prompt(row)
    sides = response("r1", chosen, "chosen"), response("r2", rejected, "rejected")
    return paired(row, prompt, *sides, known=KNOWN)
