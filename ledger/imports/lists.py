"""The schema `lists`: ranked lists as the export `listwise` writes them: `completions`, best first, and their `ranks`.

The responses come back in the order of the instance where `order` tells it; the list becomes a label by the person
`imported` (the judge, where `source` says `ai`): a ranking, or a comparison where there are two.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, DraftLabel, check_object, check_prompt, check_ref
from ledger.imports.preference import RATER, response
from ledger.imports.row_ids import place_of

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
    order = row.get("order") or list(range(len(texts)))
    if sorted(order) != list(range(len(texts))):
        raise BadRow("order must name each response once.")
    places = sorted(range(len(texts)), key=lambda at: order[at])
    place = place_of(row)
    kind = "judge" if row.get("source") == "ai" else "person"
    ranked = [int(ranks[at]) for at in places]
    if len(texts) == 2:
        label = DraftLabel(
            kind,
            RATER,
            "",
            "pairwise",
            {"strength": (ranked[0] > ranked[1]) - (ranked[0] < ranked[1])},
            {"steps": 1},
        )
    else:
        label = DraftLabel(kind, RATER, "", "ranking", {"ranks": ranked})
    label.aspect = place.aspect if place else "overall"
    return Draft(
        ref=check_ref(row.get("id") if row.get("id") is not None else row.get("instance")),
        prompt=check_prompt(row.get("prompt")),
        responses=[
            response(f"r{at + 1}", texts[at_text], f"completions[{at_text}]")
            for at, at_text in enumerate(places)
        ],
        metadata=check_object({key: given for key, given in row.items() if key not in KNOWN}, "metadata"),
        labels=[label],
    ).finish()
