"""Seats: the places that people have at instances, opened, closed and put in order."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from annotate.actions.closing import close_seats
from annotate.actions.overlap import follow_overlap, follow_overlap_everywhere
from annotate.actions.ranking import follow_settings
from annotate.models import Seat
from annotate.onboarding.steps import apart_of
from annotate.overlap import seats_at_first
from ledger.models import Project

OPEN_SEATS = """
    INSERT INTO annotate_seat (project_id, instance_id, slot, rank, status, closing)
    SELECT i.project_id, i.id, slot, coalesce(seated.rank, i.id), 'open', false
    FROM ledger_instance i
    LEFT JOIN LATERAL (SELECT min(s.rank) AS rank FROM annotate_seat s WHERE s.instance_id = i.id) seated ON true
    CROSS JOIN LATERAL (
        SELECT count(DISTINCT l.rater_id) AS voices FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
        WHERE l.instance_id = i.id AND l.superseded IS NULL AND r.kind = 'person' AND r.user_id IS NULL
    ) imported
    CROSS JOIN LATERAL generate_series(0, %(overlap)s - 1 - imported.voices) AS slot
    WHERE i.project_id = %(project)s AND (%(instances)s::bigint[] IS NULL OR i.id = ANY(%(instances)s))
      AND (NOT %(routed)s OR seated.rank IS NOT NULL) AND i.id <> ALL(%(apart)s)
      AND i.size > 0  -- a prompt alone: nobody can be asked about it
    ON CONFLICT (instance_id, slot) DO NOTHING
"""

SEAT_ROUTED = """
    INSERT INTO annotate_seat (project_id, instance_id, slot, rank, status, closing)
    SELECT %(project)s, chosen.id, slot, chosen.rank, 'open', false
    FROM unnest(%(instances)s::bigint[]) WITH ORDINALITY AS chosen (id, rank)
    CROSS JOIN generate_series(0, %(overlap)s - 1) AS slot
    WHERE chosen.id <> ALL(%(apart)s)
    ON CONFLICT (instance_id, slot) DO UPDATE SET rank = excluded.rank, closing = false
"""


def open_seats(project: Project, instance_ids: Sequence[int] | None = None) -> None:
    """Opens the seats that the overlap still asks for, in order of arrival; None: at every instance.

    People whose labels were imported have had their say: each takes one place off the overlap. In a
    routed project only instances that have seats already get more; new ones wait for the router.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            OPEN_SEATS,
            {
                "project": project.pk,
                "overlap": seats_at_first(project),
                "routed": project.routed,
                "apart": apart_of(project),
                "instances": None if instance_ids is None else list(instance_ids),
            },
        )
    if instance_ids is None:
        follow_overlap_everywhere(project)
    else:
        follow_overlap(project, instance_ids)
    follow_settings(project, instance_ids)


def reseat_project(project: Project) -> None:
    """Makes the open seats fit a changed overlap. Held and filled seats stay."""
    with transaction.atomic():
        close_seats(project, slot=seats_at_first(project))
        open_seats(project)


def set_apart(project: Project) -> None:
    """Closes the open seats of what training and quiz use, and opens those of what they use no longer."""
    with transaction.atomic():
        seats = Seat.objects.filter(instance__in=apart_of(project), status=Seat.Status.OPEN)
        close_seats(project, seats=list(seats.values_list("pk", flat=True)))
        open_seats(project)


def replace_open_work(project: Project, instance_ids: Sequence[int]) -> None:
    """Closes all open seats and opens those of `instance_ids`, handed out in this order: a route's work.

    Whoever holds a seat keeps it; a held seat outside the new work closes when its holder lets go.
    """
    with transaction.atomic():
        close_open_work(project)
        add_open_work(project, instance_ids)


def add_open_work(project: Project, instance_ids: Sequence[int]) -> None:
    """Opens seats at further instances of a routed project, ahead of nothing that is open: online routing."""
    overlap, chosen = seats_at_first(project), list(instance_ids)
    values: dict[str, Any] = {"project": project.pk, "overlap": overlap, "instances": chosen}
    with connection.cursor() as cursor:
        cursor.execute(SEAT_ROUTED, values | {"apart": apart_of(project)})
    follow_overlap_everywhere(project)
    follow_settings(project, chosen)


def reopen_all(project: Project) -> None:
    """Opens every instance to people again, as in a project without a route."""
    with transaction.atomic():
        close_open_work(project)
        Seat.objects.filter(project=project).update(closing=False)
        open_seats(project)


def close_open_work(project: Project) -> None:
    """Closes the open seats; the others are marked, so that one that is let go closes and none opens beside them."""
    close_seats(project)
    Seat.objects.filter(project=project, closing=False).update(closing=True)
