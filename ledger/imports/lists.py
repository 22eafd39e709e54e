"""The schema `lists`: ranked lists as the export `listwise` writes them: `completions`, best first, and their `ranks`.

The responses come back in the order of the instance where `order` tells it; the list becomes a label by the person
`imported` (the judge, where `source` says `ai`): a ranking, or a comparison where there are two.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, DraftLabel, check_prompt, check_ref, rest
from ledger.imports.preference import imported, response
from ledger.imports.row_ids import ref_of

KNOWN = {
    "id",
    "instance",
    "prompt",
    "reference",
    "chosen",
    "rejected",
    "completions",
    "scores",
    "ranks",
    "order",
}


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    texts, ranks = row.get("completions"), row.get("ranks")
    if (
        not isinstance(texts, list)
        or not isinstance(ranks, list)
        or len(texts) != len(ranks)
        or len(texts) < 2
    ):
        raise BadRow("completions and ranks must be lists of one length, two at least.")
    places = in_order(row, len(texts))
    return Draft(
        ref=check_ref(ref_of(row)),
        prompt=check_prompt(row.get("prompt")),
        responses=[
            response(f"r{number}", texts[at], f"completions[{at}]")
            for number, at in enumerate(places, start=1)
        ],
        metadata=rest(row, KNOWN),
        labels=[ranked(row, [int(ranks[at]) for at in places])],
    ).finish()


def in_order(row: dict[str, Any], size: int) -> list[int]:
    """The list's places in the order of the instance, which may have more responses. Raises `BadRow`."""
    order = row.get("order") or list(range(size))
    if len(order) != size or len(set(order)) < size or not all(isinstance(index, int) for index in order):
        raise BadRow("order must name each response once.")
    return sorted(range(size), key=lambda at: order[at])


def ranked(row: dict[str, Any], ranks: list[int]) -> DraftLabel:
    if len(ranks) > 2:
        return imported(row, "ranking", {"ranks": ranks}, {})
    strength = (ranks[0] > ranks[1]) - (ranks[0] < ranks[1])
    return imported(row, "pairwise", {"strength": strength}, {"steps": 1})
