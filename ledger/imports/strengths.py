"""The schema `strengths`: `response_1`, `response_2`, `preference_strength` −3 … 3, as in HelpSteer2-Preference.

The strength becomes a label by the person `imported` (the judge, where `source` says `ai`), its rationale the
justifications.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, check_prompt, check_ref, rest
from ledger.imports.preference import imported, response
from ledger.imports.row_ids import Place, place_of, ref_of

MOST = 3
KNOWN = {
    "id",
    "instance",
    "prompt",
    "response_1",
    "response_2",
    "preference_strength",
    "strength_mean",
    "justifications",
}


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    strength = row.get("preference_strength")
    if isinstance(strength, bool) or not isinstance(strength, int) or not -MOST <= strength <= MOST:
        raise BadRow(f"preference_strength must be a whole number in −{MOST}…{MOST}, not {strength!r:.80}.")
    for name in ("response_1", "response_2"):
        if row.get(name) is None:
            raise BadRow(f"{name} is missing.")
    why = reasons(row.get("justifications"))
    value = {"strength": settled(strength, place_of(row))}
    return Draft(
        ref=check_ref(ref_of(row)),
        prompt=check_prompt(row.get("prompt")),
        responses=[
            response("r1", row["response_1"], "response_1"),
            response("r2", row["response_2"], "response_2"),
        ],
        metadata=rest(row, KNOWN),
        labels=[imported(row, "pairwise", value, {"steps": MOST}, rationale=why)],
    ).finish()


def settled(strength: int, place: Place | None) -> int:
    """The strength towards what was preferred: a mean of several labels may round to another verdict than theirs."""
    if place is None or place.pair is None:
        return strength
    if place.tie:
        return 0
    return max(abs(strength), 1) * (1 if place.pair[0] > place.pair[1] else -1)


def reasons(given: Any) -> str:
    """The justifications as one text: of a list of texts, or of objects with a `text`."""
    held = given if isinstance(given, list) else [given] if given else []
    return "\n".join(str(each.get("text", "")) if isinstance(each, dict) else str(each) for each in held)
