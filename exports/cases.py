"""From the database to cases: instances with their responses, settled pairs and labels, a page at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import orjson
from django.db import connection
from numpy.typing import NDArray

from exports.choices import Choices
from exports.reading import (
    CHUNK,
    RANKED_SQL,
    Frozen,
    Moment,
    fetch,
    heads_of,
    pairs_of,
    parameters,
    shown_name,
)
from exports.records import Answer, Case, Pair, Verdict

INSTANCES_SQL = """
SELECT id, ref, prompt, context, metadata, prompt_hash FROM ledger_instance
WHERE project_id = %(project)s AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""
RESPONSES_SQL = """
SELECT instance_id, index, key, model, text, messages, metadata FROM ledger_response
WHERE instance_id = ANY(%(ids)s) ORDER BY instance_id, index
"""
LABELS_SQL = """
SELECT l.instance_id, l.id, a.name, a.task_type, r.name, r.kind, r.level, l.value, l.order, l.repeat, l.rationale,
       l.detail, l.version, l.duration_ms, l.cost, l.created, l.superseded, a.settings, r.settings, l.replaces_id
FROM ledger_label l JOIN ledger_aspect a ON a.id = l.aspect_id JOIN ledger_rater r ON r.id = l.rater_id
WHERE l.instance_id = ANY(%(ids)s) AND l.aspect_id = ANY(%(aspects)s) ORDER BY l.instance_id, l.id
"""
COUNTED_SQL = """
SELECT unnest(labels) FROM routing_preference
WHERE project_id = %(project)s AND instance_id = ANY(%(ids)s) AND aspect_id = ANY(%(aspects)s)
  AND since <= %(settlement)s AND (until IS NULL OR until > %(settlement)s)
"""
Narrow = Callable[[Iterable[Pair]], Iterator[Pair]]


def read_cases(moment: Moment, choices: Choices, narrow: Narrow) -> Iterator[Case]:
    """Every instance in the order of import, with the pairs that `narrow` keeps and the labels of the moment."""
    last = 0
    while page := rows(INSTANCES_SQL, {"project": moment.project.pk, "after": last, "limit": CHUNK}):
        last = page[-1][0]
        kept = [row for row in page if moment.frozen is None or holds(moment.frozen.instances, row[0])]
        if kept:
            yield from cases_of(moment, choices, narrow, kept)


def cases_of(moment: Moment, choices: Choices, narrow: Narrow, page: list[tuple[Any, ...]]) -> Iterator[Case]:
    ids = [row[0] for row in page]
    answers, verdicts = answers_of(ids), verdicts_of(moment, ids)
    pairs = pairs_by_ref(moment, choices, narrow, ids)
    for pk, ref, prompt, context, metadata, group in page:
        yield Case(
            instance=ref,
            prompt=orjson.loads(prompt),
            context=orjson.loads(context),
            metadata=orjson.loads(metadata),
            group=group,
            answers=answers[pk],
            pairs=pairs[ref],
            verdicts=verdicts[pk],
        )


def rows(sql: str, given: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        return cursor.fetchall()


def answers_of(ids: list[int]) -> dict[int, list[Answer]]:
    found: dict[int, list[Answer]] = defaultdict(list)
    for pk, index, key, model, text, messages, metadata in rows(RESPONSES_SQL, {"ids": ids}):
        turns = messages and orjson.loads(messages)
        found[pk].append(Answer(index, key, model, text, turns or None, orjson.loads(metadata)))
    return found


def pairs_by_ref(moment: Moment, choices: Choices, narrow: Narrow, ids: list[int]) -> dict[str, list[Pair]]:
    heads, found = heads_of(moment), defaultdict[str, list[Pair]](list)
    sql = RANKED_SQL.format(metadata="i.metadata", within="AND p.instance_id = ANY(%(ids)s)")
    settled = list(fetch(sql, parameters(moment, ids=ids)))
    for row in settled:
        for pair in narrow(pairs_of(row, *heads[row[1]], choices)):
            found[pair.instance].append(pair)
    return found


def verdicts_of(moment: Moment, ids: list[int]) -> dict[int, list[Verdict]]:
    given = parameters(moment, ids=ids)
    counted = {row[0] for row in rows(COUNTED_SQL, given)}
    found: dict[int, list[Verdict]] = defaultdict(list)
    for pk, *label in rows(LABELS_SQL, given):
        superseded = superseded_at(moment.frozen, label[0], label[15])
        if superseded is not UNSEEN:
            found[pk].append(as_verdict(label, superseded, label[0] in counted))
    return found


UNSEEN = object()


def superseded_at(frozen: Frozen | None, label: int, now: Any) -> Any:
    """When the label was superseded, as the moment knew it: None while live; UNSEEN if it was not there yet."""
    if frozen is None:
        return now
    if holds(frozen.labels, label):
        return None
    return now if holds(frozen.retired, label) else UNSEEN


def as_verdict(label: list[Any], superseded: Any, counted: bool) -> Verdict:
    """A `Verdict` of a row of `LABELS_SQL` without its first column."""
    pk, aspect, task_type, rater, kind, level, value, order, repeat, rationale, detail, version = label[:12]
    duration, cost, created, _, settings, profile, replaces = label[12:]
    return Verdict(
        id=pk,
        aspect=aspect,
        task_type=task_type,
        rater=shown_name(rater),
        kind=kind,
        level=level,
        value=orjson.loads(value),
        order=order,
        repeat=repeat,
        rationale=rationale,
        detail=orjson.loads(detail),
        version=version,
        duration_ms=duration,
        cost=None if cost is None else float(cost),
        created=created.isoformat(),
        superseded=superseded and superseded.isoformat(),
        replaces=replaces,
        counted=counted,
        settings=orjson.loads(settings),
        profile=orjson.loads(profile),
    )


def holds(ids: NDArray[np.int64], wanted: int) -> bool:
    """Whether the sorted `ids` have `wanted`."""
    at = int(np.searchsorted(ids, wanted))
    return at < len(ids) and int(ids[at]) == wanted
