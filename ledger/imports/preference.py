"""Files of chosen and rejected: trainer datasets, with explicit or implicit prompt, strings or chat messages.

The first response is the chosen one, the second the rejected one, and the file's preference becomes a
label: by the judge named `imported` where a column `source` says `ai`, else by the person so named. A row of an export
of ours says in its column `row` which responses they were, on which aspect: they come back in their own order,
pairs out of several responses as instances of their own, and rows without a margin as ties.
"""

from typing import Any

from ledger.imports.drafts import (
    BadRow,
    Draft,
    DraftLabel,
    DraftResponse,
    check_messages,
    check_object,
    check_prompt,
    check_ref,
    check_text,
)
from ledger.imports.row_ids import place_of

KNOWN = {"id", "instance", "prompt", "chosen", "rejected", "system"}
RATER = "imported"


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    for name in ("chosen", "rejected"):
        if row.get(name) is None:
            raise BadRow(f"{name} is missing.")
    prompt, chosen, rejected = split_prompt(row)
    kind = "judge" if row.get("source") == "ai" else "person"
    sides = [response("r1", chosen, "chosen"), response("r2", rejected, "rejected")]
    value, scale, ref = {"strength": -1}, {"steps": 1}, row.get("id")
    place = place_of(row)
    if place and place.pair:
        low, high = sorted(place.pair)
        if place.pair[0] == high:
            value = {"strength": 1}
            sides = [response("r1", rejected, "rejected"), response("r2", chosen, "chosen")]
        if row.get("margin") == 0:
            value = {"strength": 0}
        ref = place.instance if (low, high) == (0, 1) else f"{place.instance}#{low}-{high}"
    return Draft(
        ref=check_ref(ref if ref is not None else row.get("instance")),
        prompt=check_prompt(prompt),
        responses=sides,
        context={"system": check_text(row["system"], "system")} if row.get("system") else {},
        metadata=check_object({key: given for key, given in row.items() if key not in KNOWN}, "metadata"),
        labels=[DraftLabel(kind, RATER, place.aspect if place else "overall", "pairwise", value, scale)],
    ).finish()


def split_prompt(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Prompt, chosen and rejected; an implicit prompt is the longest common beginning of the two dialogues."""
    prompt, chosen, rejected = row.get("prompt"), row["chosen"], row["rejected"]
    dialogues = isinstance(chosen, list) and isinstance(rejected, list)
    if dialogues and (prompt is None or begins_with_question(chosen)):
        shared = common_beginning(chosen, rejected)
        return chosen[:shared], chosen[shared:], rejected[shared:]
    if prompt is None:
        raise BadRow("prompt is missing, and chosen and rejected are no dialogues from which to take it.")
    return prompt, chosen, rejected


def begins_with_question(messages: list[Any]) -> bool:
    """Whether the dialogue holds its prompt: it does not start with the assistant's answer."""
    first = messages[0] if messages else None
    return isinstance(first, dict) and first.get("role") != "assistant"


def common_beginning(one: list[Any], other: list[Any]) -> int:
    shared = 0
    while shared < min(len(one), len(other)) - 1 and one[shared] == other[shared]:
        shared += 1
    return shared


def response(key: str, value: Any, name: str) -> DraftResponse:
    """A response from a text or from messages, the last of which is its text."""
    if isinstance(value, str):
        return DraftResponse(key, check_text(value, name))
    messages = check_messages(value, name)
    return DraftResponse(
        key, messages[-1].get("content") or "", messages=messages if len(messages) > 1 else None
    )
