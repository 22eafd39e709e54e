"""What members labelled elsewhere, before it was imported: they have had these instances.

It is written down as assignments when the labels or the member arrive, so that *next* has no more to look at.
"""

from collections.abc import Sequence

from django.db import connection

HAD = """
    INSERT INTO annotate_assignment (project_id, instance_id, rater_id, "order", repeat, status, leased_at,
        expires_at, reason)
    SELECT l.project_id, l.instance_id, l.rater_id, '{{}}', 0, 'elsewhere', min(l.created),
        min(l.created) + interval '1 second', ''
    FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
    WHERE r.kind = 'person' AND r.user_id IS NOT NULL AND l.superseded IS NULL
      AND {which}
      AND NOT EXISTS (SELECT FROM annotate_assignment a
                      WHERE a.rater_id = l.rater_id AND a.instance_id = l.instance_id AND a.repeat = 0
                        AND a.status NOT IN ('expired', 'withdrawn'))
    GROUP BY l.project_id, l.instance_id, l.rater_id
    ON CONFLICT DO NOTHING
"""


OF_LABELS, OF_RATER = (HAD.format(which=which) for which in ("l.id = ANY(%s)", "l.rater_id = %s"))


def had_by_labels(label_ids: Sequence[int]) -> None:
    """Members are asked no more about the instances of these labels of theirs."""
    with connection.cursor() as cursor:
        cursor.execute(OF_LABELS, [list(label_ids)])


def had_by_rater(rater_id: int) -> None:
    """The member is asked no more about what the ledger says that they labelled."""
    with connection.cursor() as cursor:
        cursor.execute(OF_RATER, [rater_id])
