"""The schema `strengths`: `response_1`, `response_2`, `preference_strength` −3 … 3, as in HelpSteer2-Preference.

The strength becomes a label by the person `imported` (the judge, where `source` says `ai`), its rationale the
justifications.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, DraftLabel, check_object, check_prompt, check_ref, check_text
from ledger.imports.preference import RATER, response
from ledger.imports.row_ids import Place, place_of

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
    place = place_of(row)
    kind = "judge" if row.get("source") == "ai" else "person"
    return Draft(
        ref=ref_of(row),
        prompt=check_prompt(row.get("prompt")),
        responses=[
            response("r1", row["response_1"], "response_1"),
            response("r2", row["response_2"], "response_2"),
        ],
        metadata=check_object({key: given for key, given in row.items() if key not in KNOWN}, "metadata"),
        labels=[
            DraftLabel(
                kind,
                RATER,
                place.aspect if place else "overall",
                "pairwise",
                {"strength": settled(row, strength, place)},
                {"steps": MOST},
                rationale=check_text(reasons(row.get("justifications")), "justifications"),
            )
        ],
    ).finish()


def settled(row: dict[str, Any], strength: int, place: Place | None) -> int:
    """The strength towards what was preferred: a mean of several labels may round to another verdict than theirs."""
    if place is None or place.pair is None:
        return strength
    if row.get("margin") == 0:
        return 0
    return max(abs(strength), 1) * (1 if place.pair[0] > place.pair[1] else -1)


def ref_of(row: dict[str, Any]) -> str:
    """The instance's id; that of a pair out of several responses names the two."""
    place = place_of(row)
    if place and place.pair and set(place.pair) != {0, 1}:
        low, high = sorted(place.pair)
        return check_ref(f"{place.instance}#{low}-{high}")
    return check_ref(row.get("id") if row.get("id") is not None else row.get("instance"))


def reasons(given: Any) -> str:
    """The justifications as one text: of a list of texts, or of objects with a `text`."""
    held = given if isinstance(given, list) else [given] if given else []
    return "\n".join(str(each.get("text", "")) if isinstance(each, dict) else str(each) for each in held)
