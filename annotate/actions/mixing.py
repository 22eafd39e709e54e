"""Mixed into everybody's work: gold, whose answer is known, and what they judged before, in swapped order.

Both look like any other assignment from where the annotator sits: the same statement writes them, they
are handed out only while there is ordinary work, and one that was let go comes back as ordinary work does.
Gold takes an open seat where its instance has one; a probe never does.
"""

from collections.abc import Sequence
from typing import Any

from annotate.skills import NEED
from ledger.models import Project
from web.sql import Rows, prepared

GAP = 10  # submissions between an answer and its probe, where the project says nothing
DICE = 2**63  # `salt` is drawn from 0…DICE-1

# The seat `s` is at an instance that this person has not had, nor skipped.
NEW_TO_RATER = """
    NOT EXISTS (
        SELECT FROM annotate_assignment a
        WHERE a.rater_id = %(rater)s AND a.instance_id = s.instance_id AND a.repeat = 0
          AND a.status NOT IN ('expired', 'withdrawn'))
"""

# The distinct needs of the open seats, each found by one step along their index.
NEEDS = """
    needs AS (
        (SELECT s.need FROM annotate_seat s WHERE s.project_id = %(project)s AND s.status = 'open'
         ORDER BY s.need LIMIT 1)
        UNION ALL
        SELECT (SELECT s.need FROM annotate_seat s
                WHERE s.project_id = %(project)s AND s.status = 'open' AND s.need > needs.need
                ORDER BY s.need LIMIT 1)
        FROM needs WHERE needs.need IS NOT NULL
    )
"""

# Filled in: who is chosen, as (instance_id, order, repeat, draft) or no row.
HAND_OVER = """
    WITH chosen AS ({chosen}), seat AS (
        SELECT s.id FROM annotate_seat s JOIN chosen ON chosen.instance_id = s.instance_id
        WHERE s.status = 'open' AND chosen.repeat = 0
        ORDER BY s.slot LIMIT 1 FOR UPDATE OF s SKIP LOCKED
    ), taken AS (
        UPDATE annotate_seat SET status = 'held' FROM seat WHERE annotate_seat.id = seat.id
    )
    INSERT INTO annotate_assignment (project_id, instance_id, seat_id, rater_id, "order", repeat, status,
        leased_at, expires_at, reason, draft)
    SELECT %(project)s, instance_id, (SELECT id FROM seat), %(rater)s, "order", repeat, 'leased', %(at)s,
        %(until)s, '', draft
    FROM chosen
    RETURNING id, expires_at
"""

KNOWN = """
    SELECT DISTINCT l.instance_id FROM ledger_label l
    WHERE l.rater_id = ANY(ARRAY(SELECT id FROM ledger_rater WHERE project_id = %(project)s AND kind = 'gold'))
      AND l.superseded IS NULL
"""

GOLD = HAND_OVER.format(
    chosen=f"""
    SELECT i.id AS instance_id, 0 AS repeat, NULL::jsonb AS draft,
        ARRAY(SELECT place FROM generate_series(0, i.size - 1) AS place
              ORDER BY hashint8extended(place, %(salt)s)) AS "order"
    FROM ({KNOWN}) known JOIN ledger_instance i ON i.id = known.instance_id
    WHERE i.id <> ALL(%(apart)s) AND {NEED} & ~%(mask)s::int = 0
      AND NOT EXISTS (SELECT FROM annotate_assignment a
                      WHERE a.rater_id = %(rater)s AND a.instance_id = i.id AND a.repeat = 0
                        AND a.status NOT IN ('expired', 'withdrawn'))
    ORDER BY hashint8extended(i.id, %(salt)s) LIMIT 1
    """
)

PROBE = HAND_OVER.format(
    chosen="""
    SELECT a.instance_id, 1 AS repeat, NULL::jsonb AS draft,
        ARRAY(SELECT place FROM unnest(a."order") WITH ORDINALITY AS shown (place, n) ORDER BY n DESC) AS "order"
    FROM (SELECT * FROM annotate_assignment
          WHERE project_id = %(project)s AND rater_id = %(rater)s AND status = 'submitted'
          ORDER BY ended_at DESC OFFSET %(gap)s) a
    WHERE a.repeat = 0 AND cardinality(a."order") > 1
      AND NOT EXISTS (SELECT FROM annotate_assignment again
                      WHERE again.rater_id = %(rater)s AND again.instance_id = a.instance_id AND again.repeat = 1
                        AND again.status NOT IN ('expired', 'withdrawn'))
    ORDER BY hashint8extended(a.instance_id, %(salt)s) LIMIT 1
    """
)

# The last thing that this person let go, where it was mixed in: it comes back with its order and its draft.
RESUME = HAND_OVER.format(
    chosen=f"""
    SELECT a.instance_id, a.repeat, a.draft, a."order"
    FROM (SELECT * FROM annotate_assignment
          WHERE project_id = %(project)s AND rater_id = %(rater)s AND ended_at IS NOT NULL
          ORDER BY ended_at DESC LIMIT 1) a
    WHERE a.status IN ('expired', 'withdrawn') AND a.seat_id IS NULL
      AND (a.repeat > 0 OR a.instance_id IN ({KNOWN}))
    """
)

WORK_LEFT = f"""
    WITH RECURSIVE {NEEDS}
    SELECT 1 FROM needs CROSS JOIN LATERAL (
        SELECT FROM annotate_seat s
        WHERE s.project_id = %(project)s AND s.need = needs.need AND s.status = 'open' AND {NEW_TO_RATER}
        ORDER BY s.rank LIMIT 1
    ) best
    WHERE needs.need & ~%(mask)s::int = 0 LIMIT 1
"""


def mixes(project: Project) -> bool:
    """Whether anything is mixed into the project's work."""
    return "gold" in project.settings or "probes" in project.settings


def mix_in(project: Project, values: dict[str, Any], *, apart: Sequence[int] = ()) -> Rows:
    """The lease of gold or of a probe, where one is due; else no row. `values` as the hand-out's.

    Each comes at its own rate; the draw is `values["salt"]`, which is uniform. Instances `apart` are
    used for training or the quiz: their answers were shown.
    """
    if not mixes(project):
        return []
    values = {**values, "apart": list(apart), "gap": project.settings.get("probes", {}).get("gap", GAP)}
    if resumed := prepared(RESUME, values):
        return resumed
    drawn = draw(project, values["salt"] / DICE)
    if drawn is None or not prepared(WORK_LEFT, values):
        return []
    return prepared(drawn, values)


def draw(project: Project, chance: float) -> str | None:
    """The statement that a draw from 0…1 chooses, each with its rate."""
    gold = project.settings.get("gold", {}).get("rate", 0.0)
    probes = project.settings.get("probes", {}).get("rate", 0.0)
    if chance < gold:
        return GOLD
    return PROBE if chance < gold + probes else None
