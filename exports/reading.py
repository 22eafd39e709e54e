"""From the database to pairs: one streaming statement, one consistent moment, constant memory.

A reading names a *moment*: the number of a settlement. Preferences are immutable rows with
`since` and `until`, so the same moment reads the same rows for ever, whatever settled later.
Rows come in the order of import (`instance_id`), which no collation can change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any
from urllib.parse import quote
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
import orjson
import psycopg
from django.db import connection, transaction
from numpy.typing import NDArray

from exports.choices import Choices
from exports.names import shown_name
from exports.records import PREFERRED, TIE, Pair
from exports.splitting import unit
from ledger.models import Aspect, Project

STREAMED = 250  # rows that the driver hands over at a time, while PostgreSQL fetches the next
CHUNK = 200  # instances of a page, with all their responses and labels


@dataclass(frozen=True)
class Frozen:
    """The rows that existed when a snapshot was made: sorted ids, (N,) each."""

    instances: NDArray[np.int64]
    labels: NDArray[np.int64]
    retired: NDArray[np.int64]


@dataclass(frozen=True)
class Moment:
    """A project as it stood right after one of its settlements, seen through some of its aspects."""

    project: Project
    settlement: int
    aspects: tuple[Aspect, ...]
    frozen: Frozen | None = None


@contextmanager
def one_moment() -> Iterator[None]:
    """A read-only transaction that sees one state of the database, whatever is written meanwhile.

    Inside another transaction (a test's) it only joins it. Hash joins are off: they would make
    PostgreSQL sort whole texts on disk afterwards, where walking the indexes gives the order of import.
    """
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if outermost:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL enable_hashjoin = off")
        try:
            yield
        finally:
            end_streams()


PAIRS_SQL = """
SELECT i.ref, p.aspect_id, i.prompt, i.context ->> 'system', i.prompt_hash, {metadata},
       p.outcome, p.probability, p.margin, p.agreement, p.source, p.raters, p.route, p.policy, p.value,
       c.index, r.index, c.text, r.text, c.messages, r.messages, c.model, r.model
FROM routing_preference p
JOIN ledger_instance i ON i.id = p.instance_id
JOIN ledger_response c ON c.instance_id = p.instance_id AND c.index = coalesce(p.chosen, 0)
JOIN ledger_response r ON r.instance_id = p.instance_id
     AND r.index = coalesce(p.rejected, CASE WHEN coalesce(p.chosen, 0) = 0 THEN 1 ELSE 0 END)
WHERE p.project_id = %(project)s AND p.aspect_id = ANY(%(aspects)s) {within}
  AND p.since <= %(settlement)s AND (p.until IS NULL OR p.until > %(settlement)s)
ORDER BY p.instance_id, p.aspect_id
"""

RANKED_SQL = """
SELECT i.ref, p.aspect_id, i.prompt, i.context ->> 'system', i.prompt_hash, {metadata},
       p.outcome, p.probability, p.margin, p.agreement, p.source, p.raters, p.route, p.policy, p.value,
       p.chosen, p.rejected, a.indices, a.texts, a.messages, a.models
FROM routing_preference p
JOIN ledger_instance i ON i.id = p.instance_id
CROSS JOIN LATERAL (
    SELECT array_agg(index ORDER BY index) AS indices, array_agg(text ORDER BY index) AS texts,
           array_agg(messages::text ORDER BY index) AS messages, array_agg(model ORDER BY index) AS models
    FROM ledger_response WHERE instance_id = p.instance_id
) a
WHERE p.project_id = %(project)s AND p.aspect_id = ANY(%(aspects)s) {within}
  AND p.since <= %(settlement)s AND (p.until IS NULL OR p.until > %(settlement)s)
ORDER BY p.instance_id, p.aspect_id
"""


def fetch(sql: str, parameters: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The statement's rows as PostgreSQL sends them, never all at once.

    Rows stream in libpq's chunked mode, so that the server goes on while we work on the last chunk;
    a server-side cursor would let it wait (1.6 s against 2.4 s for 100,000 pairs). Until the last row
    is read, or the generator closed, the connection can do nothing else: `one_moment` closes what is open.
    """
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        rows = cursor.stream(sql, parameters, size=STREAMED)
        STREAMS.setdefault(connection.connection, WeakSet()).add(rows)
        yield from rows


STREAMS: WeakKeyDictionary[Any, WeakSet[Any]] = WeakKeyDictionary()  # {connection: what streams from it}


def end_streams() -> None:
    """Cancels what still streams from this connection.

    A failed writer leaves its readers suspended in its traceback, and they hold the connection's lock: without
    this the rollback would wait for them for ever.
    """
    for rows in STREAMS.pop(connection.connection, ()):
        rows.close()


def read_pairs(moment: Moment, choices: Choices, *, metadata: bool = False) -> Iterator[Pair]:
    """Every preference's pairs in the order of import; ties and undecided ones are marked, not left out."""
    heads = heads_of(moment)
    wanted = "i.metadata" if metadata or choices.language or choices.where else "NULL"
    if choices.pairs == "best-worst":
        for row in fetch(PAIRS_SQL.format(metadata=wanted, within=""), parameters(moment)):
            yield as_pair(row, *heads[row[1]])
    else:
        for row in fetch(RANKED_SQL.format(metadata=wanted, within=""), parameters(moment)):
            yield from pairs_of(row, *heads[row[1]], choices)


def heads_of(moment: Moment) -> dict[int, tuple[str, str]]:
    """{aspect's pk: (its name, the start of its rows' ids)}."""
    return {a.pk: (a.name, row_head(moment.project, a.name)) for a in moment.aspects}


def parameters(moment: Moment, **more: Any) -> dict[str, Any]:
    aspects = [aspect.pk for aspect in moment.aspects]
    return {"project": moment.project.pk, "aspects": aspects, "settlement": moment.settlement, **more}


def pairs_of(row: tuple[Any, ...], aspect: str, head: str, choices: Choices) -> Iterator[Pair]:
    """The pairs of a row of `RANKED_SQL`, as `choices.pairs` picks them from its scores."""
    *common, value, chosen, rejected, indices, texts, messages, models = row
    if len(indices) < 2:
        return  # a response alone is no pair
    settled = scores(orjson.loads(value))
    alone = len(settled) <= 2 or choices.pairs == "best-worst"
    if alone:
        chosen, rejected = ends(chosen, rejected)
        picked = [(chosen, rejected, common[8], common[9])]
    else:
        key = f"{head}{row[0]}"
        best = {(chosen, rejected): common[9]}
        picked = [
            (better, worse, settled[better] - settled[worse], best.get((better, worse)))
            for better, worse in pick(settled, choices.pairs, place=unit(key, seed=choices.seed))
        ]
    place = {index: at for at, index in enumerate(indices)}
    for better, worse, margin, agreement in picked:
        c, r = place[better], place[worse]
        outcome = common[6] if alone else PREFERRED if margin > 0 else TIE
        figures = (outcome, common[7], margin, agreement, *common[10:14], value)
        sides = (better, worse, texts[c], texts[r], messages[c], messages[r], models[c], models[r])
        yield as_pair((*common[:6], *figures, *sides), aspect, head)


def scores(value: dict[str, Any]) -> dict[int, float]:
    """The consensus as a score for each response, higher better; {} for a pairwise one."""
    if "ratings" in value:
        return {int(index): float(rating) for index, rating in value["ratings"].items()}
    return {index: -float(rank) for index, rank in enumerate(value.get("ranks", ()))}


def ends(chosen: int | None, rejected: int | None) -> tuple[int, int]:
    """The two responses of a pair where the consensus may name neither."""
    chosen = 0 if chosen is None else chosen
    return chosen, (1 if chosen == 0 else 0) if rejected is None else rejected


def pick(settled: dict[int, float], strategy: str, *, place: float) -> list[tuple[int, int]]:
    """(better, worse) pairs from scores; equal ones in index order; `place` in [0, 1) draws for best-random.

    >>> pick({0: 1.0, 1: 3.0, 2: 2.0}, "adjacent", place=0.0)
    [(1, 2), (2, 0)]
    """
    order = sorted(settled, key=lambda index: (-settled[index], index))
    if strategy == "adjacent":
        return list(pairwise(order))
    if strategy == "best-random":
        return [(order[0], order[1 + int(place * (len(order) - 1))])]
    return list(combinations(order, 2))


MAKE_PAIR = Pair._make  # half the time of the call by position


def as_pair(row: tuple[Any, ...], aspect: str, head: str) -> Pair:
    """A `Pair` of a row of `PAIRS_SQL`."""
    (ref, _, prompt, system, group, metadata, outcome, probability, margin, agreement, source, raters,
     route, policy, _, chosen, rejected, better, worse, more, less, model, other) = row  # fmt: skip
    return MAKE_PAIR(
        (
            f"{head}{chosen}{'-' if outcome == PREFERRED else '='}{rejected}/{ref}",
            ref,
            aspect,
            orjson.loads(prompt),
            system,
            better,
            worse,
            more and orjson.loads(more),
            less and orjson.loads(less),
            chosen,
            rejected,
            model,
            other,
            outcome,
            certainty(outcome == PREFERRED, probability, agreement, chosen),
            margin or 0.0,
            agreement,
            source,
            list(map(shown_name, raters)),
            route,
            policy,
            group,
            orjson.loads(metadata) if metadata else {},
        )
    )


def certainty(preferred: bool, probability: float | None, agreement: float | None, chosen: int) -> float:
    """P(chosen is better): the consensus' own where it has one, else the share of labels that agree."""
    if not preferred:
        return 0.5
    if probability is not None:
        return probability if chosen else 1.0 - probability
    return 1.0 if agreement is None else agreement


def row_head(project: Project, aspect: str) -> str:
    """The start of a row's id, `project/aspect/`; `0-1/instance` follows, or `0=1/instance` where nobody won."""
    return f"{project.slug}/{quote(aspect, safe='')}/"
