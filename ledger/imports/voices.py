"""The schema `voices`: one row a label, as the export `disaggregated` writes them; rows of one instance join.

Raters keep the names that the export gave them (pseudonyms, for people known by an address), their kinds, the order
that they saw, the time and what they said; the time of day and the cost are not in such a file.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, DraftLabel, check_object, check_prompt, check_ref, check_text
from ledger.imports.preference import response
from ledger.models import Rater

PAIRED = ("pairwise", "joint")


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    texts, models = row.get("responses"), row.get("models") or []
    if not isinstance(texts, list):
        raise BadRow("responses must be a list of texts or of chat messages.")
    if row.get("rater_kind") not in Rater.Kind.values:
        raise BadRow(
            f"rater_kind must be one of {', '.join(Rater.Kind.values)}, not {row.get('rater_kind')!r:.80}."
        )
    responses = [response(f"r{at + 1}", text, f"responses[{at}]") for at, text in enumerate(texts)]
    for held, model in zip(responses, models):
        held.model = check_text(model or "", "models")
    return Draft(
        ref=check_ref(row.get("instance")),
        prompt=check_prompt(row.get("prompt")),
        responses=responses,
        metadata=check_object(row.get("metadata"), "metadata"),
        labels=[label_of(row)],
    ).finish()


def label_of(row: dict[str, Any]) -> DraftLabel:
    task = check_text(row.get("task_type"), "task_type")
    value, scale = said(row, task)
    return DraftLabel(
        kind=row["rater_kind"],
        rater=check_text(row.get("rater"), "rater"),
        aspect=check_text(row.get("aspect") or "overall", "aspect"),
        task_type=task,
        value=value,
        scale=scale,
        order=tuple(row.get("order") or ()),
        level=check_text(row.get("rater_level") or "", "rater_level"),
        rationale=check_text(row.get("rationale") or "", "rationale"),
    )


def said(row: dict[str, Any], task: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(value, scale) of the row's typed columns. Raises `BadRow` for a task that these columns cannot hold."""
    beside = {name: row[name] for name in ("confidence", "reasons") if row.get(name)}
    if row.get("both_bad"):
        return {"both_bad": True, **beside}, {"steps": 1}
    if task in PAIRED and row.get("strength") is not None:
        strength = int(row["strength"])
        sure = {"probability": row["probability"]} if row.get("probability") is not None else {}
        return {"strength": strength, **sure, **beside}, {"steps": max(abs(strength), 1)}
    if task == "rating" and row.get("ratings"):
        given = {str(at): value for at, value in enumerate(row["ratings"]) if value is not None}
        whole = all(float(value).is_integer() for value in given.values())
        given = {at: int(value) if whole else value for at, value in given.items()}
        ends = {"min": min(given.values()), "max": max(given.values())}
        if ends["min"] == ends["max"]:
            ends["max"] += 1
        return {"ratings": given, **beside}, {**ends, "step": 1 if whole else 0}
    if task == "ranking" and row.get("ranks"):
        return {"ranks": [int(rank) for rank in row["ranks"]], **beside}, {}
    raise BadRow(
        f"A label of the task type {task!r} does not fit into these columns: take the export `ledger`."
    )
