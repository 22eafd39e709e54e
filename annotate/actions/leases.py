"""Leases: a seat handed to a rater for a while, renewed, given up, taken back."""

import random
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from annotate.actions.mixing import DICE, NEEDS, NEW_TO_RATER, mix_in
from annotate.models import Assignment, Seat
from annotate.onboarding.steps import apart_of, missing_step
from annotate.problems import OnboardingNeeded
from annotate.quotas import done_by, quota_of
from annotate.skills import mask_of
from ledger.models import Member, Project
from web.sql import Rows, prepared

# Filled in: the seat, as (id, project_id, instance_id) or no row.
LEASING = """
    WITH RECURSIVE held AS (
        SELECT id, expires_at FROM annotate_assignment WHERE rater_id = %(rater)s AND status = 'leased'
    ), {seat}, taken AS (
        UPDATE annotate_seat SET status = 'held' FROM seat WHERE annotate_seat.id = seat.id
    ), leased AS (
        INSERT INTO annotate_assignment (project_id, instance_id, seat_id, rater_id, "order", repeat, status,
            leased_at, expires_at, reason, draft)
        SELECT seat.project_id, seat.instance_id, seat.id, %(rater)s,
            ARRAY(SELECT place FROM generate_series(0, i.size - 1) AS place
                  ORDER BY hashint8extended(place, %(salt)s)),
            0, 'leased', %(at)s, %(until)s, '',
            (SELECT a.draft FROM annotate_assignment a
             WHERE a.rater_id = %(rater)s AND a.instance_id = seat.instance_id ORDER BY a.id DESC LIMIT 1)
        FROM seat JOIN ledger_instance i ON i.id = seat.instance_id
        RETURNING id, expires_at
    )
    SELECT id, expires_at FROM held UNION ALL SELECT id, expires_at FROM leased
"""

LEASE = LEASING.format(
    seat=f"""
    seat AS (
        SELECT s.id, s.project_id, s.instance_id FROM annotate_seat s
        WHERE s.project_id = %(project)s AND s.need = 0 AND s.status = 'open' AND NOT EXISTS (SELECT FROM held)
          AND {NEW_TO_RATER}
        ORDER BY s.rank LIMIT 1
        FOR UPDATE OF s SKIP LOCKED
    )"""
)

# What needs a skill goes first to whoever has it, since nobody else can do it; then by rank.
LEASE_BY_SKILL = LEASING.format(
    seat=f"""
    {NEEDS}, seat AS (
        SELECT best.id, best.project_id, best.instance_id
        FROM needs CROSS JOIN LATERAL (
            SELECT s.id, s.project_id, s.instance_id, s.rank FROM annotate_seat s
            WHERE s.project_id = %(project)s AND s.need = needs.need AND s.status = 'open' AND {NEW_TO_RATER}
            ORDER BY s.rank LIMIT 1
            FOR UPDATE OF s SKIP LOCKED
        ) best
        WHERE needs.need & ~%(mask)s::int = 0 AND NOT EXISTS (SELECT FROM held)
        ORDER BY needs.need = 0, best.rank LIMIT 1
    )"""
)

HELD = "SELECT id, expires_at FROM annotate_assignment WHERE rater_id = %(rater)s AND status = 'leased'"

DISTRIBUTING = frozenset({"quota", "skill_rules", "gold", "probes", "onboarding"})


def lease_next_id(
    project: Project, rater_id: int, *, member: Member | None = None, at: datetime
) -> int | None:
    """The id of the assignment that the rater holds, or of a new lease; None where nothing is open for them.

    Lock: the seat's row (`FOR UPDATE … SKIP LOCKED`), so that a hundred people never wait for one another.
    Two calls of one rater at once meet at `one_lease_per_rater`; the loser answers with the winner's lease.
    """
    for _try in range(3):
        try:
            rows = hand_out(project, rater_id, member, at)
        except IntegrityError:
            continue
        if not rows and reclaim_expired(project=project, at=at):
            continue
        if not rows or rows[0][1] > at:
            return rows[0][0] if rows else None
        renewed = renew(rows[0][0], at)
        if renewed is not None:
            return renewed
    return None


def hand_out(project: Project, rater_id: int, member: Member | None, at: datetime) -> Rows:
    """`(id, expires_at)` of the lease that the rater holds now, in at most one row.

    A project that distributes by nothing but rank pays for nothing else.
    """
    values = {
        "project": project.pk,
        "rater": rater_id,
        "at": at,
        "until": at + lease_time(project),
        "salt": random.randrange(DICE),
    }
    if DISTRIBUTING.isdisjoint(project.settings) and not (member and member.settings):
        return prepared(LEASE, values)
    return prepared(HELD, {"rater": rater_id}) or distribute(project, rater_id, member, at, values)


def distribute(
    project: Project, rater_id: int, member: Member | None, at: datetime, values: dict[str, Any]
) -> Rows:
    """A new lease by the project's rules: none where a quota is used up, now and then gold or a probe.

    Raises `OnboardingNeeded`.
    """
    apart = require_onboarded(project, member) if "onboarding" in project.settings else []
    quota = quota_of(project, member)
    if quota and done_by(project, rater_id, quota, at=at):
        return []
    rules = project.settings.get("skill_rules", [])
    values |= {"mask": mask_of(project, member), "rules": orjson.dumps(rules).decode()}
    return mix_in(project, values, apart=apart) or prepared(LEASE_BY_SKILL if rules else LEASE, values)


def require_onboarded(project: Project, member: Member | None) -> list[int]:
    """The instances that are set apart for training and quiz. Raises `OnboardingNeeded` where a step is missing."""
    step = missing_step(project, member)
    if step is not None:
        page = reverse("annotate:welcome", args=[project.slug])
        raise OnboardingNeeded(
            _("Before you begin here, one step is missing: %(step)s.") % {"step": step.label},
            step=step.value,
            page=page,
        )
    return apart_of(project)


def lease_time(project: Project) -> timedelta:
    return timedelta(seconds=project.settings.get("lease_seconds") or settings.LEASE_SECONDS)


def renew(assignment_id: int, at: datetime) -> int | None:
    """A new lease, with its draft, on the seat whose lease ran out unnoticed; None where the seat has closed.

    Lock: the assignment's row.
    """
    with transaction.atomic():
        locked = Assignment.objects.select_for_update(of=("self",)).select_related("project")
        old = locked.get(pk=assignment_id)
        if old.status == Assignment.Status.LEASED:
            end(old, Assignment.Status.EXPIRED, at)
            seat = seats_of(old).filter(status=Seat.Status.OPEN)
            if old.seat_id is None or seat.update(status=Seat.Status.HELD):
                return lease_again(old, at).pk
    return None


def lease_again(old: Assignment, at: datetime) -> Assignment:
    return Assignment.objects.create(
        project_id=old.project_id,
        instance_id=old.instance_id,
        seat_id=old.seat_id,
        rater_id=old.rater_id,
        order=old.order,
        repeat=old.repeat,
        leased_at=at,
        expires_at=at + lease_time(old.project),
        draft=old.draft,
    )


def end(assignment: Assignment, status: Assignment.Status, at: datetime, *, reason: str = "") -> None:
    """Ends a lease and lets go of its seat: back to open, or closed where it is no longer wanted."""
    assignment.status, assignment.ended_at, assignment.reason = status, at, reason
    assignment.save(update_fields=["status", "ended_at", "reason"])
    seats_of(assignment).filter(closing=True).delete()
    if seats_of(assignment).update(status=Seat.Status.OPEN):
        seat_the_seatless(assignment.instance_id)


def seats_of(assignment: Assignment) -> models.QuerySet[Seat]:
    """Its seat, or nothing where it has none or the seat is gone."""
    return Seat.objects.none() if assignment.seat_id is None else Seat.objects.filter(pk=assignment.seat_id)


SEAT_THE_SEATLESS = """
    WITH seat AS (
        SELECT id FROM annotate_seat WHERE instance_id = %(instance)s AND status = 'open'
        ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED
    ), spoken AS (
        UPDATE annotate_assignment SET seat_id = seat.id FROM seat
        WHERE annotate_assignment.id = (
            SELECT id FROM annotate_assignment
            WHERE instance_id = %(instance)s AND status = 'submitted' AND repeat = 0 AND seat_id IS NULL
            ORDER BY id LIMIT 1)
        RETURNING seat.id
    )
    UPDATE annotate_seat SET status = 'filled', closing = false FROM spoken WHERE annotate_seat.id = spoken.id
"""


def seat_the_seatless(instance_id: int) -> None:
    """Gives an open seat to whoever answered the instance without one, as gold: they have had their say.

    Otherwise a seat could wait for somebody new where everyone has been.
    """
    prepared(SEAT_THE_SEATLESS, {"instance": instance_id})


def reclaim_expired(*, at: datetime, project: Project | None = None) -> int:
    """Takes expired leases back; how many. Their drafts stay for their raters.

    Lock: the assignments' rows, skipping those that someone is just submitting.
    """
    with transaction.atomic():
        expired = Assignment.objects.expired(at).select_for_update(skip_locked=True)
        if project is not None:
            expired = expired.filter(project=project)
        rows = list(expired.order_by("pk")[:1000])
        for assignment in rows:
            end(assignment, Assignment.Status.EXPIRED, at)
    return len(rows)


def withdraw_leases(project: Project, user_id: int, *, at: datetime) -> int:
    """Takes back what a paused or removed member holds; how many leases. Their drafts stay.

    Lock: the assignments' rows, so that a submission that came first is kept and one that comes later refused.
    """
    with transaction.atomic():
        held = Assignment.objects.leased().filter(project=project, rater__user=user_id)
        rows = list(held.select_for_update(of=("self",)))
        for assignment in rows:
            end(assignment, Assignment.Status.WITHDRAWN, at)
    return len(rows)
