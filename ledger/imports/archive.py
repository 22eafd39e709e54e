"""The schema `ledger`: a line of an archive that Switchyard exported, with every label as it stood.

Values, orders, times, costs, what replaced what and which version of the guidelines was read are restored exactly;
a version's text stands in the first line whose labels name it.
"""

from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ledger.imports.drafts import BadRow, Draft, DraftGuideline, DraftLabel, Origin, check_object, check_text
from ledger.imports.switchyard import parse as parse_instance
from ledger.models import Rater
from ledger.task_types import TASK_TYPES

PARTS = ("id", "prompt", "responses", "context", "metadata")


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    draft = parse_instance({name: row.get(name) for name in PARTS}, least=0)
    aspects, raters = check_object(row.get("aspects"), "aspects"), check_object(row.get("raters"), "raters")
    labels = row.get("labels")
    if not isinstance(labels, list):
        raise BadRow("labels must be a list.")
    for place, label in enumerate(labels):
        draft.labels.append(parse_label(label, f"labels[{place}]", aspects, raters))
    draft.guidelines = parse_guidelines(check_object(row.get("guidelines"), "guidelines"))
    return draft


def parse_guidelines(held: dict[str, Any]) -> list[DraftGuideline]:
    """The versions that stand in a line, oldest first; {} in archives from before they were kept."""
    found = []
    for number, version in held.items():
        given = check_object(version, f"guidelines.{number}")
        text = check_text(given.get("text"), f"guidelines.{number}.text")
        try:
            found.append(DraftGuideline(int(number), text, datetime.fromisoformat(given["created"])))
        except (KeyError, TypeError, ValueError) as error:
            raise BadRow(f"guidelines.{number} is not a version of guidelines: {error}.") from error
    return sorted(found, key=lambda version: version.number)


def parse_label(label: Any, name: str, aspects: dict[str, Any], raters: dict[str, Any]) -> DraftLabel:
    held = check_object(label, name)
    aspect, rater = (
        check_text(held.get("aspect"), f"{name}.aspect"),
        check_text(held.get("rater"), f"{name}.rater"),
    )
    spec = check_object(aspects.get(aspect), f"aspects.{aspect}")
    if spec.get("task_type") not in TASK_TYPES or held.get("kind") not in Rater.Kind.values:
        raise BadRow(f"{name} needs a known task type of its aspect, and a known kind of rater.")
    return DraftLabel(
        kind=held["kind"],
        rater=rater,
        aspect=aspect,
        task_type=spec["task_type"],
        value=check_object(held.get("value"), f"{name}.value"),
        scale=check_object(spec.get("settings"), f"aspects.{aspect}.settings"),
        order=tuple(held.get("order") or ()),
        level=check_text(check_object(raters.get(rater), "raters").get("level") or "", f"{name}.level"),
        rationale=check_text(held.get("rationale") or "", f"{name}.rationale"),
        detail=check_object(held.get("detail"), f"{name}.detail"),
        origin=parse_origin(held, name),
    )


def parse_origin(held: dict[str, Any], name: str) -> Origin:
    try:
        return Origin(
            id=int(held["id"]),
            replaces=held.get("replaces"),
            repeat=int(held.get("repeat") or 0),
            version=check_text(held.get("version") or "", f"{name}.version"),
            duration_ms=held.get("duration_ms"),
            cost=None if held.get("cost") is None else Decimal(str(held["cost"])),
            created=datetime.fromisoformat(held["created"]),
            superseded=datetime.fromisoformat(held["superseded"]) if held.get("superseded") else None,
            guideline=None if held.get("guideline") is None else int(held["guideline"]),
        )
    except (KeyError, TypeError, ValueError, InvalidOperation) as error:
        raise BadRow(f"{name} is not a label of an archive: {error}.") from error
