"""The schema `voices`: one row a label, as the export `disaggregated` writes them; rows of one instance join.

Raters keep the names that the export gave them (pseudonyms, for people known by an address), their kinds, the order
that they saw and what they said, in `value` or, without it, in the typed columns; the time of day and the cost are
not brought back.
"""

from typing import Any

import orjson

from ledger.imports.drafts import (
    BadRow,
    Draft,
    DraftLabel,
    check_number,
    check_object,
    check_prompt,
    check_ref,
    check_text,
)
from ledger.imports.marks import offered
from ledger.imports.preference import response
from ledger.models import Rater

PAIRED = ("pairwise", "joint")
RATED = ("rating", "slider", "satisfaction")
MARKED = ("spans", "sentences", "steps")


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
    value = whole_value(row) or said(row, task)
    return DraftLabel(
        kind=row["rater_kind"],
        rater=check_text(row.get("rater"), "rater"),
        aspect=check_text(row.get("aspect") or "overall", "aspect"),
        task_type=task,
        value=value,
        scale=scale_of(value, task),
        repeat=int(row.get("repeat") or 0),
        order=tuple(row.get("order") or ()),
        level=check_text(row.get("rater_level") or "", "rater_level"),
        rationale=check_text(row.get("rationale") or "", "rationale"),
    )


def whole_value(row: dict[str, Any]) -> dict[str, Any]:
    """The label's value as the ledger has it; {} where the row has none. Packed files hold it as a text."""
    held = row.get("value")
    try:
        return check_object(orjson.loads(held) if isinstance(held, str) else held, "value")
    except orjson.JSONDecodeError as error:
        raise BadRow(f"value must be an object, not {held!r:.80}.") from error


def said(row: dict[str, Any], task: str) -> dict[str, Any]:
    """The value of the row's typed columns. Raises `BadRow` for a task that these columns cannot hold."""
    beside = {name: row[name] for name in ("confidence", "reasons") if row.get(name)}
    if row.get("both_bad"):
        return {"both_bad": True, **beside}
    if task in PAIRED and row.get("strength") is not None:
        sure = {"probability": row["probability"]} if row.get("probability") is not None else {}
        return {"strength": int(row["strength"]), **sure, **beside}
    if task in RATED and row.get("ratings"):
        given = {
            str(at): check_number(each, "ratings")
            for at, each in enumerate(row["ratings"])
            if each is not None
        }
        return {"ratings": given, **beside}
    if task == "ranking" and row.get("ranks"):
        return {"ranks": [int(rank) for rank in row["ranks"]], **beside}
    raise BadRow(f"A label of the task type {task!r} does not fit into these columns: it needs a value.")


def scale_of(value: dict[str, Any], task: str) -> dict[str, Any]:
    """The least scale, or choice of labels, on which the value can be given."""
    if task in PAIRED:
        strength = value.get("strength") or 0
        return {"steps": max(abs(strength) if isinstance(strength, int) else 0, 1)}
    if task in RATED and isinstance(value.get("ratings"), dict):
        given = [check_number(each, "ratings") for each in value["ratings"].values()] or [0]
        whole = all(isinstance(each, int) for each in given)
        most = max(given) if max(given) > min(given) else min(given) + 1
        return {"min": min(given), "max": most, "step": 1 if whole else 0}
    if task in MARKED and isinstance(value.get("marks"), list):
        return {"labels": offered(task, value["marks"])}
    return {"each": "texts" in value} if task == "text" else {}
