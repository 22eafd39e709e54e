"""Which preferences no longer say what the ledger and the route say: one statement, whatever the project's size.

Labels never change, so a preference is as good as new while it rests on the labels that would count now, by the
same way and method. The statement errs on the safe side: it takes a person's repeated presentations for news,
and `counting` looks at those instances again.
"""

import orjson
from django.db import connection

from ledger.models import Aspect, Rater
from routing.models import Decision, Preference, Route
from routing.settling import Method, counting

STALE_SQL = """
CREATE TEMPORARY TABLE settling_stale ON COMMIT DROP AS
WITH said AS (
    SELECT l.instance_id, max(l.id) FILTER (WHERE r.kind = 'adjudicator') AS ruled,
           array_agg(l.id) FILTER (WHERE r.kind = 'person') AS people,
           array_agg(l.id) FILTER (WHERE r.kind = 'judge' AND (%(fuses)s OR r.id = %(judge)s)) AS judged
    FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
    WHERE l.project_id = %(project)s AND l.aspect_id = %(aspect)s AND l.superseded IS NULL
    GROUP BY l.instance_id
), asked AS (
    SELECT i.id AS instance, coalesce(d.way, '') AS way, said.judged, said.ruled,
           CASE WHEN said.ruled IS NULL THEN said.people ELSE ARRAY[said.ruled] END AS people
    FROM ledger_instance i LEFT JOIN said ON said.instance_id = i.id
    LEFT JOIN routing_decision d ON d.route_id = %(route)s AND d.instance_id = i.id
    WHERE i.project_id = %(project)s
), counting AS (
    SELECT instance, way, coalesce(CASE
        WHEN %(fuses)s THEN CASE WHEN ruled IS NULL THEN people || judged ELSE people END
        WHEN %(whose)s = 'human' THEN people
        WHEN %(whose)s = 'ai' OR way = 'ai' THEN judged
        WHEN way = 'human' THEN people
        WHEN way = 'both' THEN CASE WHEN people IS NOT NULL THEN people || judged END
        ELSE coalesce(people, judged) END, '{}') AS labels
    FROM asked
)
SELECT c.instance, c.way, c.labels <> '{}' AS labelled
FROM counting c
LEFT JOIN routing_preference p ON p.instance_id = c.instance AND p.aspect_id = %(aspect)s AND p.until IS NULL
WHERE p.id IS NULL OR p.method <> %(method)s OR p.route <> c.way
   OR p.policy <> CASE WHEN c.way = '' THEN '' ELSE %(policy)s END
   OR NOT (p.labels @> c.labels AND p.labels <@ c.labels)
"""
END_SQL = """
UPDATE routing_preference p SET until = %(number)s FROM settling_stale s
WHERE NOT s.labelled AND p.instance_id = s.instance AND p.aspect_id = %(aspect)s AND p.until IS NULL
"""
BEGIN_SQL = """
INSERT INTO routing_preference (project_id, instance_id, aspect_id, since, outcome, source, value, raters, labels,
                                route, policy, method)
SELECT %(project)s, instance, %(aspect)s, %(number)s, %(outcome)s, %(sources)s::jsonb ->> way, '{}', '{}', '{}',
       way, CASE WHEN way = '' THEN '' ELSE %(policy)s END, %(method)s
FROM settling_stale WHERE NOT labelled ORDER BY instance
"""


def mark_stale(
    aspect: Aspect, route: Route | None, judge: Rater | None, *, how: Method, method: str
) -> tuple[int, int]:
    """Notes the aspect's stale preferences for `write_unlabelled` and `labelled`: how many with and without labels.

    Runs in the settlement's transaction, which ends the note.
    """
    given: dict[str, int | str | bool | None] = {
        "project": aspect.project_id,
        "aspect": aspect.pk,
        "route": route.pk if route else None,
        "policy": route.policy if route else "",
        "judge": judge.pk if judge else None,
        "fuses": how.fuses,
        "whose": how.whose,
        "method": method,
    }
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS settling_stale")
        cursor.execute(STALE_SQL, given)
        cursor.execute("ANALYZE settling_stale")
        cursor.execute(
            "SELECT count(*) FILTER (WHERE labelled), count(*) FILTER (WHERE NOT labelled) FROM settling_stale"
        )
        found = cursor.fetchone()
    return int(found[0]), int(found[1])


def write_unlabelled(aspect: Aspect, *, how: Method, method: str, policy: str, number: int) -> None:
    """Writes the stale instances on which nobody's word counts as undecided."""
    ways = ("", *Decision.Way.values)
    given: dict[str, int | str] = {
        "project": aspect.project_id,
        "aspect": aspect.pk,
        "number": number,
        "outcome": Preference.Outcome.UNDECIDED.value,
        "sources": orjson.dumps({way: counting([], way, how).source.value for way in ways}).decode(),
        "policy": policy,
        "method": method,
    }
    with connection.cursor() as cursor:
        cursor.execute(END_SQL, given)
        cursor.execute(BEGIN_SQL, given)


def labelled() -> list[int]:
    """The stale instances with labels that count, in the order of import."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT instance FROM settling_stale WHERE labelled ORDER BY instance")
        return [row[0] for row in cursor.fetchall()]
