"""From the database to cases: instances with their responses, settled pairs and labels, a page at a time."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import orjson
from django.db import connection
from numpy.typing import NDArray

from exports.choices import Choices
from exports.cleaning import Parts
from exports.names import shown_name
from exports.reading import (
    CHUNK,
    Frozen,
    Moment,
    heads_of,
    pairs_of,
    parameters,
    scores,
)
from exports.records import Answer, Case, Consensus, Pair, Verdict

INSTANCES_SQL = """
SELECT id, ref, prompt, context, metadata, prompt_hash FROM ledger_instance
WHERE project_id = %(project)s AND id > %(after)s ORDER BY id LIMIT %(limit)s
"""
RESPONSES_SQL = """
SELECT instance_id, index, key, model, text, messages, metadata FROM ledger_response
WHERE instance_id = ANY(%(ids)s) ORDER BY instance_id, index
"""
LABELS_SQL = """
SELECT l.instance_id, l.id, a.name, a.task_type, r.name, r.kind, r.level, l.value, l.order, l.repeat,
       l.rationale, l.detail, l.version, l.duration_ms, l.cost, l.created, l.superseded, a.settings,
       r.settings, l.replaces_id, g.number
FROM ledger_label l JOIN ledger_aspect a ON a.id = l.aspect_id JOIN ledger_rater r ON r.id = l.rater_id
LEFT JOIN ledger_guidelineversion g ON g.id = l.guideline_id
WHERE l.instance_id = ANY(%(ids)s) AND l.aspect_id = ANY(%(aspects)s) ORDER BY l.instance_id, l.id
"""
SETTLED_SQL = """
SELECT instance_id, aspect_id, outcome, probability, margin, agreement, source, raters, route, policy, value,
       chosen, rejected, labels
FROM routing_preference
WHERE project_id = %(project)s AND instance_id = ANY(%(ids)s) AND aspect_id = ANY(%(aspects)s)
  AND since <= %(settlement)s AND (until IS NULL OR until > %(settlement)s)
ORDER BY instance_id, aspect_id
"""


class Select(Protocol):
    """What chooses among cases: `admit` an instance's parts (cleaned, or None), `narrow` its pairs."""

    def admit(self, parts: Parts, *, preferences: int) -> Parts | None: ...

    def narrow(self, pairs: Iterable[Pair]) -> Iterator[Pair]: ...


def read_cases(moment: Moment, choices: Choices, select: Select, *, said: Moment) -> Iterator[Case]:
    """The instances that `select` wants, in the order of import, with the pairs it keeps and labels as of `said`."""
    last = 0
    while page := rows(INSTANCES_SQL, {"project": moment.project.pk, "after": last, "limit": CHUNK}):
        last = page[-1][0]
        kept = [row for row in page if moment.frozen is None or holds(moment.frozen.instances, row[0])]
        if kept:
            yield from cases_of(moment, choices, select, kept, said)


def cases_of(
    moment: Moment, choices: Choices, select: Select, page: list[tuple[Any, ...]], said: Moment
) -> Iterator[Case]:
    ids = [row[0] for row in page]
    answers, settled = answers_of(ids), settled_of(moment, ids)
    counted = {label for held in settled.values() for row in held for label in row[-1]}
    verdicts = verdicts_of(said, ids, counted)
    heads, guidelines = heads_of(moment), guidelines_of(moment, verdicts)
    for row in page:
        pk, ref, prompt, context, metadata, group = row
        parts = select.admit(
            Parts(
                orjson.loads(prompt), orjson.loads(context), orjson.loads(metadata), answers[pk], verdicts[pk]
            ),
            preferences=len(settled[pk]),
        )
        if parts is None:
            continue
        found = [
            pair
            for held in settled[pk]
            for pair in select.narrow(pairs_of(joined(row, held, parts), *heads[held[1]], choices))
        ]
        yield Case(
            instance=ref,
            prompt=parts.prompt,
            context=parts.context,
            metadata=parts.metadata,
            group=group,
            answers=parts.answers,
            consensus={heads[held[1]][0]: as_consensus(held) for held in settled[pk]},
            pairs=found,
            verdicts=parts.verdicts,
            guidelines={
                n: guidelines[n] for n in sorted({said.guideline or 0 for said in parts.verdicts} - {0})
            },
        )


def joined(row: tuple[Any, ...], held: tuple[Any, ...], parts: Parts) -> tuple[Any, ...]:
    """What `RANKED_SQL` would give for this preference of this instance."""
    _, ref, _, _, _, group = row
    prompt, metadata = orjson.dumps(parts.prompt), orjson.dumps(parts.metadata)
    columns = zip(
        *((a.index, a.text, a.messages and orjson.dumps(a.messages), a.model) for a in parts.answers)
    )
    return (ref, held[1], prompt, parts.context.get("system"), group, metadata, *held[2:13], *columns)


def as_consensus(held: tuple[Any, ...]) -> Consensus:
    outcome, probability, margin, agreement, source, raters, route, policy, value, chosen, rejected, _ = held[
        2:
    ]
    return Consensus(
        outcome=outcome,
        scores=scores(orjson.loads(value)),
        chosen=chosen,
        rejected=rejected,
        probability=probability,
        margin=margin,
        agreement=agreement,
        source=source,
        raters=[shown_name(name) for name in raters],
        route=route,
        policy=policy,
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


def settled_of(moment: Moment, ids: list[int]) -> dict[int, list[tuple[Any, ...]]]:
    found: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows(SETTLED_SQL, parameters(moment, ids=ids)):
        found[row[0]].append(row)
    return found


def verdicts_of(moment: Moment, ids: list[int], counted: set[int]) -> dict[int, list[Verdict]]:
    given = parameters(moment, ids=ids)
    found: dict[int, list[Verdict]] = defaultdict(list)
    for pk, *label in rows(LABELS_SQL, given):
        superseded = superseded_at(moment.frozen, label[0], label[15])
        if superseded is not UNSEEN:
            found[pk].append(as_verdict(label, superseded, label[0] in counted))
    return found


GUIDELINES_SQL = """
SELECT number, text, created FROM ledger_guidelineversion
WHERE project_id = %(project)s AND number = ANY(%(numbers)s) ORDER BY number
"""


def guidelines_of(moment: Moment, verdicts: dict[int, list[Verdict]]) -> dict[int, dict[str, str]]:
    """{number: {"text", "created"}} of the versions that the labels name."""
    numbers = sorted({said.guideline or 0 for found in verdicts.values() for said in found} - {0})
    found = rows(GUIDELINES_SQL, {"project": moment.project.pk, "numbers": numbers}) if numbers else []
    return {number: {"text": text, "created": created.isoformat()} for number, text, created in found}


UNSEEN = object()


def superseded_at(frozen: Frozen | None, label: int, now: Any) -> Any:
    """When the label was superseded, as far as the moment knew; UNSEEN if it was not there yet."""
    if frozen is None:
        return now
    if holds(frozen.labels, label):
        return None
    return now if holds(frozen.retired, label) else UNSEEN


def as_verdict(label: list[Any], superseded: Any, counted: bool) -> Verdict:
    """A `Verdict` of a row of `LABELS_SQL` without its first column."""
    pk, aspect, task_type, rater, kind, level, value, order, repeat, rationale, detail, version = label[:12]
    duration, cost, created, _, settings, profile, replaces, guideline = label[12:]
    return Verdict(
        id=pk,
        aspect=aspect,
        task_type=task_type,
        rater=rater,
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
        guideline=guideline,
        counted=counted,
        settings=orjson.loads(settings),
        profile=orjson.loads(profile),
    )


def holds(ids: NDArray[np.int64], wanted: int) -> bool:
    """Whether the sorted `ids` have `wanted`."""
    at = int(np.searchsorted(ids, wanted))
    return at < len(ids) and int(ids[at]) == wanted
