"""Two snapshots side by side: rows added, removed and changed, and why."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from exports.datasets import MAIN
from exports.models import Snapshot, unpack
from exports.reading import fetch

SHOWN = 20  # examples of each change
SIDE = """
SELECT i.ref, p.outcome, p.chosen, p.rejected, p.source, p.margin, p.agreement, p.raters, p.labels, p.policy, p.method
FROM routing_preference p JOIN ledger_instance i ON i.id = p.instance_id
WHERE p.project_id = %(project)s AND p.aspect_id = %(aspect)s AND p.outcome = 'preferred'
  AND p.since <= {number} AND (p.until IS NULL OR p.until > {number})
"""
COMPARED = (
    """
WITH a AS ("""
    + SIDE.format(number="%(old)s")
    + """), b AS ("""
    + SIDE.format(number="%(new)s")
    + """)
SELECT coalesce(a.ref, b.ref), a.ref IS NULL, b.ref IS NULL, a.chosen IS DISTINCT FROM b.chosen,
       a.source IS DISTINCT FROM b.source, a.labels IS DISTINCT FROM b.labels, a.policy IS DISTINCT FROM b.policy,
       a.method IS DISTINCT FROM b.method, a.source, b.source
FROM a FULL JOIN b ON a.ref = b.ref
WHERE a IS DISTINCT FROM b ORDER BY 1
"""
)


def compare(old: Snapshot, new: Snapshot) -> dict[str, Any]:
    """{"rows", "added", "removed", "changed", "choices", "labels"}: counts, reasons and the first examples.

    Rows are the decided preferences on the snapshots' main aspect; a change of choices is told apart, since it
    adds and drops rows whatever the preferences are. Needs a transaction.
    """
    changes: dict[str, dict[str, Any]] = {
        kind: {"count": 0, "why": Counter(), "examples": []} for kind in ("added", "removed", "changed")
    }
    for ref, missing_old, missing_new, *differs in differences(old, new):
        kind = "added" if missing_old else "removed" if missing_new else "changed"
        held = changes[kind]
        held["count"] += 1
        why = reason(kind, differs)
        held["why"][why] += 1
        if len(held["examples"]) < SHOWN:
            held["examples"].append({"instance": ref, "why": why})
    return {
        "rows": {old.version: old.rows, new.version: new.rows},
        "same_hash": old.hash == new.hash,
        **{kind: {**held, "why": dict(held["why"])} for kind, held in changes.items()},
        "choices": changed_choices(old.choices, new.choices),
        "labels": {"added": added(old.labels, new.labels), "retired": added(old.retired, new.retired)},
        "methods": [old.settlement.method, new.settlement.method],
    }


def differences(old: Snapshot, new: Snapshot) -> Iterator[tuple[Any, ...]]:
    aspects = {aspect.name: aspect.pk for aspect in old.project.aspects.all()}
    name = new.choices["aspect"] or (MAIN if MAIN in aspects else next(iter(aspects), ""))
    given = {
        "project": old.project_id,
        "aspect": aspects.get(name),
        "old": old.settlement.number,
        "new": new.settlement.number,
    }
    return fetch(COMPARED, given)


def reason(kind: str, differs: list[Any]) -> str:
    """Why a row is new, gone or other: what differs, the weightiest first."""
    chosen, source, labels, policy, method, before, after = differs
    if kind == "added":
        return f"decided by {after}"
    if kind == "removed":
        return f"no longer decided ({before} before)"
    if chosen:
        return f"preference reversed ({before} to {after})" if source else "preference reversed"
    if source:
        return f"settled by {after} instead of {before}"
    if labels:
        return "other labels count"
    return "other method" if method else "other policy" if policy else "other figures"


def changed_choices(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    return {name: [before[name], after[name]] for name in before if before[name] != after.get(name)}


def added(old: bytes | memoryview, new: bytes | memoryview) -> int:
    """How many ids `new` has that `old` has not."""
    return len(np.setdiff1d(unpack(new), unpack(old), assume_unique=True))
