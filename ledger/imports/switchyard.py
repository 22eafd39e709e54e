"""The schema `switchyard`: prompt, responses and, where they exist, labels by people (`human`) and judges (`ai`).

Values are stored against the responses' own identity; `shown_first` says what was shown first.
"""

from typing import Any

from ledger.imports.drafts import (
    BadRow,
    Draft,
    DraftLabel,
    DraftResponse,
    check_count,
    check_messages,
    check_object,
    check_prompt,
    check_ref,
    check_text,
    widest,
)

KNOWN = {"id", "prompt", "responses", "context", "metadata", "meta", "human", "ai"}
RESPONSE_KNOWN = {"id", "model", "text", "messages"}
LABEL_KNOWN = {"annotator", "judge", "config", "kind", "task", "aspect", "value", "response", "scale"}
BOTH = "both"


def parse(row: dict[str, Any], *, least: int = 2) -> Draft:
    """The draft of one row of `least` responses or more. Raises `BadRow`."""
    responses = parse_responses(row.get("responses"), least=least)
    extra = {key: value for key, value in row.items() if key not in KNOWN}
    named = row.get("metadata") if row.get("metadata") is not None else row.get("meta")
    draft = Draft(
        ref=check_ref(row.get("id")),
        prompt=check_prompt(row.get("prompt")),
        responses=responses,
        context=check_object(row.get("context"), "context"),
        metadata=check_object(extra, "metadata") | check_object(named, "metadata"),
    )
    indices = {response.key: index for index, response in enumerate(responses)}
    for source, kind in (("human", "person"), ("ai", "judge")):
        draft.labels += parse_labels(row.get(source), kind=kind, source=source, indices=indices)
    return draft.finish()


def parse_responses(rows: Any, *, least: int = 2) -> list[DraftResponse]:
    if not isinstance(rows, list):
        raise BadRow(
            "responses must be a list of objects with a text."
            if rows is not None
            else "responses is missing."
        )
    return check_count([parse_response(row, place) for place, row in enumerate(rows)], least=least)


def parse_response(row: Any, place: int) -> DraftResponse:
    name = f"responses[{place}]"
    if not isinstance(row, dict):
        raise BadRow(f"{name} must be an object with a text.")
    messages = row.get("messages")
    return DraftResponse(
        key=check_text(row.get("id") or f"r{place + 1}", f"{name}.id"),
        text=check_text(row.get("text"), f"{name}.text"),
        model=check_text(row.get("model") or "", f"{name}.model"),
        messages=None if messages is None else check_messages(messages, f"{name}.messages"),
        metadata=check_object({k: v for k, v in row.items() if k not in RESPONSE_KNOWN}, name),
    )


# ---------------------------------------------------------------- labels


def parse_labels(rows: Any, *, kind: str, source: str, indices: dict[str, int]) -> list[DraftLabel]:
    """The labels of one list; ratings of several responses by one rater become one label."""
    if rows is None:
        return []
    if not isinstance(rows, list):
        raise BadRow(f"{source} must be a list of labels.")
    labels: list[DraftLabel] = []
    ratings: dict[tuple[str, str], DraftLabel] = {}
    for place, row in enumerate(rows):
        label = parse_label(row, kind=kind, name=f"{source}[{place}]", indices=indices)
        first = (
            ratings.setdefault((label.rater, label.aspect), label) if label.task_type == "rating" else label
        )
        if first is label:
            labels.append(label)
        else:
            merge_rating(first, label, name=f"{source}[{place}]")
    return labels


def merge_rating(first: DraftLabel, label: DraftLabel, *, name: str) -> None:
    twice = set(first.value["ratings"]) & set(label.value["ratings"])
    if twice:
        raise BadRow(f"{name} rates response {twice.pop()} a second time for the same rater and aspect.")
    first.value["ratings"] |= label.value["ratings"]
    first.scale = widest(first.scale, label.scale)


def parse_label(row: Any, *, kind: str, name: str, indices: dict[str, int]) -> DraftLabel:
    if not isinstance(row, dict):
        raise BadRow(f"{name} must be an object.")
    task = row.get("task") or "pairwise"
    if task not in TASKS:
        raise BadRow(f"{name}.task must be one of {', '.join(TASKS)}, not {task!r}.")
    value, scale = TASKS[task](row, name, indices)
    detail = {key: given for key, given in row.items() if key not in LABEL_KNOWN and key != "comment"}
    return DraftLabel(
        kind=kind,
        rater=rater_name(row, kind, name),
        aspect=check_text(row.get("aspect") or "overall", f"{name}.aspect"),
        task_type=task,
        value=value,
        scale=scale,
        order=order_shown(row.get("shown_first"), name, indices),
        level=check_text(row.get("kind") or "", f"{name}.kind")[:20],
        rationale=check_text(row.get("comment") or "", f"{name}.comment"),
        detail=check_object(detail, name),
    )


def rater_name(row: dict[str, Any], kind: str, name: str) -> str:
    """An annotator's name, or `judge` or `judge/config`. Raises `BadRow`."""
    field = "annotator" if kind == "person" else "judge"
    rater = check_text(row.get(field), f"{name}.{field}")
    if kind == "judge" and row.get("config"):
        rater = f"{rater}/{check_text(row['config'], f'{name}.config')}"
    if not rater or len(rater) > 200:
        raise BadRow(f"{name}.{field} must be a name of at most 200 characters.")
    return rater


def order_shown(first: Any, name: str, indices: dict[str, int]) -> tuple[int, ...]:
    """The order in which the responses were shown; empty where unknown, or where a verdict joins both orders."""
    if first is None or first == BOTH:
        return ()
    if first not in indices:
        raise BadRow(f"{name}.shown_first names no response: {first!r}.")
    front = indices[first]
    return (front, *(index for index in range(len(indices)) if index != front))


def pairwise(
    row: dict[str, Any], name: str, indices: dict[str, int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    value = row.get("value")
    if isinstance(value, bool) or not isinstance(value, int) or not -5 <= value <= 5:
        raise BadRow(f"{name}.value must be a whole number in −5…5, not {value!r:.80}.")
    if len(indices) != 2:
        raise BadRow(f"{name} is pairwise, but the instance has {len(indices)} responses.")
    return {"strength": value}, {"steps": max(abs(value), 1)}


def rating(row: dict[str, Any], name: str, indices: dict[str, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    response, value, scale = row.get("response"), row.get("value"), row.get("scale")
    if response not in indices:
        raise BadRow(f"{name}.response names no response: {response!r}.")
    if not isinstance(scale, list) or len(scale) != 2 or not all(is_number(end) for end in scale):
        raise BadRow(f"{name}.scale must be [lowest, highest], not {scale!r:.80}.")
    if scale[0] >= scale[1] or not is_number(value) or not scale[0] <= value <= scale[1]:
        raise BadRow(f"{name}.value must be a number on the scale {scale}, not {value!r:.80}.")
    step = 1 if all(isinstance(number, int) for number in (value, *scale)) else 0
    settings = {"min": scale[0], "max": scale[1], "step": step}
    return {"ratings": {str(indices[response]): value}}, settings


def ranking(row: dict[str, Any], name: str, indices: dict[str, int]) -> tuple[dict[str, Any], dict[str, Any]]:
    groups = row.get("value")
    if not isinstance(groups, list) or not all(isinstance(group, list) for group in groups):
        raise BadRow(f"{name}.value must be a list of groups of response ids, best first.")
    ranks = {key: rank for rank, group in enumerate(groups, start=1) for key in group if isinstance(key, str)}
    if set(ranks) != set(indices) or sum(map(len, groups)) != len(indices):
        raise BadRow(f"{name}.value must name each of the responses {sorted(indices)} once.")
    return {"ranks": [ranks[key] for key in indices]}, {}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


TASKS = {"pairwise": pairwise, "rating": rating, "ranking": ranking}
