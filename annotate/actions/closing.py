"""Closing open seats without racing those who are just taking them."""

from collections.abc import Sequence

from django.db import connection

from ledger.models import Project

CLOSE_SEATS = """
    WITH closed AS (
        DELETE FROM annotate_seat WHERE status = 'open' AND project_id = %(project)s AND slot >= %(slot)s
          AND (%(seats)s::bigint[] IS NULL OR id = ANY(%(seats)s))
        RETURNING id
    )
    UPDATE annotate_assignment SET seat_id = NULL WHERE seat_id IN (SELECT id FROM closed)
"""


def close_seats(project: Project, *, seats: Sequence[int] | None = None, slot: int = 0) -> None:
    """Closes open seats: these, or all, from this slot on.

    One statement, which looks at the status again where it has to wait for a hand-out: a seat that was
    leased in that moment stays with its holder.
    """
    values = {"project": project.pk, "slot": slot, "seats": None if seats is None else list(seats)}
    with connection.cursor() as cursor:
        cursor.execute(CLOSE_SEATS, values)
