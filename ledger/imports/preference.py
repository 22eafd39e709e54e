"""Files of chosen and rejected: trainer datasets, with explicit or implicit prompt, strings or chat messages.

The first response is the chosen one, the second the rejected one, and the file's preference becomes a
label: by the judge named `imported` where a column `source` says `ai`, else by the person so named; a `rationale` is
its reason. A row of an export of ours says in its column `row` which responses they were, on which aspect, and
whether one won: they come back in their own order, pairs out of several responses as instances of their own.
"""

from collections.abc import Collection
from typing import Any

from ledger.imports.drafts import (
    BadRow,
    Draft,
    DraftLabel,
    DraftResponse,
    check_messages,
    check_prompt,
    check_ref,
    check_text,
    rest,
)
from ledger.imports.row_ids import MAIN, place_of, ref_of

KNOWN = {"id", "instance", "prompt", "chosen", "rejected", "system", "rationale", "rationales"}
RATER = "imported"


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    prompt, chosen, rejected = split_prompt(row)
    return paired(row, prompt, response("r1", chosen, "chosen"), response("r2", rejected, "rejected"))


def paired(
    row: dict[str, Any],
    prompt: Any,
    chosen: DraftResponse,
    rejected: DraftResponse,
    *,
    known: Collection[str] = KNOWN,
    task: str = "pairwise",
) -> Draft:
    """The draft of a row that prefers `chosen`, or neither where its row id says so. Raises `BadRow`."""
    place = place_of(row)
    turned = place is not None and place.pair is not None and place.pair[0] > place.pair[1]
    tied = place is not None and place.tie
    sides = [rejected, chosen] if turned else [chosen, rejected]
    for number, side in enumerate(sides, start=1):
        side.key = f"r{number}"
    value: dict[str, Any] = {"strength": 0 if tied else 1 if turned else -1}
    if reasons := ticked(row.get("rationales")):
        value["reasons"] = reasons
    return Draft(
        ref=check_ref(ref_of(row)),
        prompt=check_prompt(prompt),
        responses=sides,
        context={"system": check_text(row["system"], "system")} if row.get("system") else {},
        metadata=rest(row, known),
        labels=[imported(row, task, value, {"steps": 1}, rationale=row.get("rationale"))],
    ).finish()


def imported(
    row: dict[str, Any], task: str, value: dict[str, Any], scale: dict[str, Any], *, rationale: Any = None
) -> DraftLabel:
    """A label by the person `imported`, or the judge where `source` says `ai`, on the aspect of the row's id."""
    place = place_of(row)
    kind = "judge" if row.get("source") == "ai" else "person"
    why = check_text(rationale or "", "rationale")
    return DraftLabel(kind, RATER, place.aspect if place else MAIN, task, value, scale, rationale=why)


def ticked(rationales: Any) -> list[str]:
    """The reasons that were ticked in the column `rationales`, each once."""
    held = rationales if isinstance(rationales, list) else []
    found = [why for each in held if isinstance(each, dict) for why in each.get("reasons") or ()]
    return list(dict.fromkeys(check_text(why, "rationales") for why in found))


def split_prompt(row: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Prompt, chosen and rejected; an implicit prompt is the longest common beginning of the two dialogues.

    Dialogues that begin with a question hold the prompt beside its column too, but for exports of ours.
    """
    for name in ("chosen", "rejected"):
        if row.get(name) is None:
            raise BadRow(f"{name} is missing.")
    prompt, chosen, rejected = row.get("prompt"), row["chosen"], row["rejected"]
    dialogues = isinstance(chosen, list) and isinstance(rejected, list)
    if dialogues and (prompt is None or (place_of(row) is None and begins_with_question(chosen))):
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
