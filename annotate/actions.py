"""The verbs of human work: open seats, hand one out, take the answers, skip, reclaim."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotate.models import Assignment, Seat
from annotate.problems import AlreadySubmitted, IncompleteAnswers, LeaseGone, NoSuchAssignment
from ledger.actions import NewLabel, write_labels
from ledger.models import Aspect, Instance, Project, Rater
from ledger.questions import questions_of
from web.problems import Invalid
from web.sql import Rows, prepared

# ---------------------------------------------------------------- seats

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
      AND (NOT %(routed)s OR seated.rank IS NOT NULL)
    ON CONFLICT (instance_id, slot) DO NOTHING
"""

SEAT_ROUTED = """
    INSERT INTO annotate_seat (project_id, instance_id, slot, rank, status, closing)
    SELECT %(project)s, chosen.id, slot, chosen.rank, 'open', false
    FROM unnest(%(instances)s::bigint[]) WITH ORDINALITY AS chosen (id, rank)
    CROSS JOIN generate_series(0, %(overlap)s - 1) AS slot
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
                "overlap": project.overlap,
                "routed": project.routed,
                "instances": None if instance_ids is None else list(instance_ids),
            },
        )


def reseat_project(project: Project) -> None:
    """Makes the open seats fit a changed overlap. Held and filled seats stay."""
    with transaction.atomic():
        Seat.objects.filter(project=project, status=Seat.Status.OPEN, slot__gte=project.overlap).delete()
        open_seats(project)


def replace_open_work(project: Project, instance_ids: Sequence[int]) -> None:
    """Closes all open seats and opens those of `instance_ids`, handed out in this order: a route's work.

    Whoever holds a seat keeps it; a held seat outside the new work closes when its holder lets go.
    """
    with transaction.atomic():
        close_open_work(project)
        with connection.cursor() as cursor:
            cursor.execute(
                SEAT_ROUTED,
                {"project": project.pk, "overlap": project.overlap, "instances": list(instance_ids)},
            )


def add_open_work(project: Project, instance_ids: Sequence[int]) -> None:
    """Opens seats at further instances of a routed project, ahead of nothing that is open: online routing."""
    with connection.cursor() as cursor:
        cursor.execute(
            SEAT_ROUTED, {"project": project.pk, "overlap": project.overlap, "instances": list(instance_ids)}
        )


def reopen_all(project: Project) -> None:
    """Opens every instance to people again, as in a project without a route."""
    with transaction.atomic():
        close_open_work(project)
        Seat.objects.filter(project=project).update(closing=False)
        open_seats(project)


def close_open_work(project: Project) -> None:
    Seat.objects.filter(project=project, status=Seat.Status.OPEN).delete()
    Seat.objects.filter(project=project, status=Seat.Status.HELD).update(closing=True)


# ---------------------------------------------------------------- hand-out

LEASE = """
    WITH held AS (
        SELECT id, expires_at FROM annotate_assignment WHERE rater_id = %(rater)s AND status = 'leased'
    ), seat AS (
        SELECT s.id, s.project_id, s.instance_id FROM annotate_seat s
        WHERE s.project_id = %(project)s AND s.status = 'open' AND NOT EXISTS (SELECT FROM held)
          AND NOT EXISTS (
              SELECT FROM annotate_assignment a
              WHERE a.rater_id = %(rater)s AND a.instance_id = s.instance_id AND a.repeat = 0
                AND a.status NOT IN ('expired', 'withdrawn'))
        ORDER BY s.rank LIMIT 1
        FOR UPDATE OF s SKIP LOCKED
    ), taken AS (
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


def lease_next(project: Project, rater: Rater, *, at: datetime | None = None) -> Assignment | None:
    """The assignment that `rater` holds, else the next open seat leased to them, else None."""
    leased = lease_next_id(project, rater.pk, at=at or timezone.now())
    return None if leased is None else Assignment.objects.select_related("instance", "project").get(pk=leased)


def lease_next_id(project: Project, rater_id: int, *, at: datetime) -> int | None:
    """The id of the assignment that the rater holds, or of a new lease; None where nothing is open for them.

    Lock: the seat's row (`FOR UPDATE … SKIP LOCKED`), so that a hundred people never wait for one another.
    Two calls of one rater at once meet at `one_lease_per_rater`; the loser answers with the winner's lease.
    """
    for _attempt in range(3):
        try:
            rows = hand_out(project, rater_id, at)
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


def hand_out(project: Project, rater_id: int, at: datetime) -> Rows:
    """`(id, expires_at)` of the lease that the rater holds now, in at most one row."""
    until = at + lease_time(project)
    salt = random.getrandbits(63)
    return prepared(LEASE, {"project": project.pk, "rater": rater_id, "at": at, "until": until, "salt": salt})


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
            if Seat.objects.filter(pk=old.seat_id).update(status=Seat.Status.HELD):
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
    Seat.objects.filter(pk=assignment.seat_id, closing=True).delete()
    Seat.objects.filter(pk=assignment.seat_id).update(status=Seat.Status.OPEN)


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


# ---------------------------------------------------------------- work on a lease


MINE = """
    SELECT a.id, a.project_id, a.instance_id, a.seat_id, a.rater_id, a."order", a.repeat, a.status, a.expires_at,
        i.size, p.revision, p.slug, p.settings::text
    FROM annotate_assignment a
    JOIN ledger_rater r ON r.id = a.rater_id
    JOIN ledger_instance i ON i.id = a.instance_id
    JOIN ledger_project p ON p.id = a.project_id
    WHERE a.id = %(assignment)s AND r.user_id = %(user)s
    FOR UPDATE OF a
"""


def mine(assignment_id: int, user_id: int) -> Assignment:
    """The user's own assignment, its row locked, with as much of its instance and project as verbs need.

    Raises `NoSuchAssignment`, also for somebody else's.
    """
    rows = prepared(MINE, {"assignment": assignment_id, "user": user_id})
    if not rows:
        raise NoSuchAssignment(f"There is no assignment {assignment_id} of yours.", assignment=assignment_id)
    pk, project, instance, seat, rater, order, repeat, status, expires, size, revision, slug, options = rows[
        0
    ]
    found = Assignment(
        pk=pk,
        seat_id=seat,
        order=order,
        repeat=repeat,
        status=status,
        expires_at=expires,
        rater=Rater(pk=rater),
    )
    found.project = Project(pk=project, revision=revision, slug=slug, settings=orjson.loads(options))
    found.instance = Instance(pk=instance, size=size)
    return found


def held(assignment_id: int, user_id: int, at: datetime) -> Assignment:
    """The user's assignment under a lease that holds at `at`, locked. Raises `LeaseGone`, `AlreadySubmitted`."""
    assignment = mine(assignment_id, user_id)
    if assignment.status == Assignment.Status.SUBMITTED:
        raise AlreadySubmitted(f"Assignment {assignment_id} was submitted already.", assignment=assignment_id)
    if assignment.status != Assignment.Status.LEASED or assignment.expires_at <= at:
        raise LeaseGone(
            f"The lease of assignment {assignment_id} has gone; your draft is kept, and it can be leased again.",
            assignment=assignment_id,
            expired_at=assignment.expires_at.isoformat(),
        )
    return assignment


def submit_annotation(
    *,
    assignment_id: int,
    user_id: int,
    answers: dict[str, Any],
    rationale: str = "",
    duration_ms: int | None = None,
    at: datetime | None = None,
) -> list[int]:
    """Writes the answers as labels and ends the lease, all or nothing; the labels' ids.

    Lock: the assignment's row; the lease is checked again under it. Raises `NoSuchAssignment`,
    `LeaseGone`, `AlreadySubmitted`, `IncompleteAnswers`, `InvalidAnswer`.
    """
    at = at or timezone.now()
    with transaction.atomic():
        assignment = held(assignment_id, user_id, at)
        labels = write_answers(assignment, answers, rationale=rationale, duration_ms=duration_ms, at=at)
        prepared(FINISH, {"assignment": assignment.pk, "seat": assignment.seat_id, "at": at})
    return labels


FINISH = """
    WITH filled AS (UPDATE annotate_seat SET status = 'filled', closing = false WHERE id = %(seat)s)
    UPDATE annotate_assignment SET status = 'submitted', ended_at = %(at)s, draft = NULL WHERE id = %(assignment)s
"""


def correct_annotation(
    *,
    assignment_id: int,
    user_id: int,
    answers: dict[str, Any],
    rationale: str = "",
    at: datetime | None = None,
) -> list[int]:
    """Replaces the answers of a submitted assignment by superseding labels. Raises `LeaseGone` without one."""
    at = at or timezone.now()
    with transaction.atomic():
        assignment = mine(assignment_id, user_id)
        if assignment.status != Assignment.Status.SUBMITTED:
            raise LeaseGone(f"Assignment {assignment_id} has no submitted answers to correct.")
        return write_answers(assignment, answers, rationale=rationale, duration_ms=None, at=at)


def write_answers(
    assignment: Assignment, answers: dict[str, Any], *, rationale: str, duration_ms: int | None, at: datetime
) -> list[int]:
    questions = questions_of(assignment.project)
    labels = [
        NewLabel(
            instance=assignment.instance,
            aspect=aspect,
            value=answers[aspect.name],
            order=assignment.order,
            repeat=assignment.repeat,
            rationale=rationale,
            guideline=questions.guideline,
            duration_ms=duration_ms,
        )
        for aspect in check_answers(questions.for_size(assignment.instance.size), answers)
    ]
    return write_labels(project=assignment.project, rater=assignment.rater, labels=labels, at=at)


def asked_about(project: Project, instance: Instance) -> list[Aspect]:
    """The aspects that can be asked about this instance, in the project's order."""
    return questions_of(project).for_size(instance.size)


def check_answers(aspects: list[Aspect], answers: dict[str, Any]) -> list[Aspect]:
    """The aspects that `answers` answers. Raises where one is unknown, or a required one is missing."""
    known = {aspect.name: aspect for aspect in aspects}
    extra = sorted(set(answers) - set(known))
    if extra:
        raise Invalid(f"The instance is not asked about {', '.join(map(repr, extra))}.", aspects=extra)
    missing = [aspect.name for aspect in aspects if aspect.required and aspect.name not in answers]
    if missing:
        raise IncompleteAnswers(f"An answer is missing for {', '.join(map(repr, missing))}.", aspects=missing)
    if not answers:
        raise IncompleteAnswers("There is no answer to submit.")
    return [known[name] for name in known if name in answers]


def skip_assignment(
    *, assignment_id: int, user_id: int, reason: str = "", at: datetime | None = None
) -> Assignment:
    """Gives the seat back with a reason; the rater does not get this instance again. Lock: the assignment's row."""
    at = at or timezone.now()
    with transaction.atomic():
        assignment = held(assignment_id, user_id, at)
        end(assignment, Assignment.Status.SKIPPED, at, reason=reason[:500])
    return assignment


def save_draft(*, assignment_id: int, user_id: int, draft: dict[str, Any]) -> Assignment:
    """Keeps what was entered so far, also on a lease that has run out; raises where it was submitted."""
    with transaction.atomic():
        assignment = mine(assignment_id, user_id)
        if assignment.status == Assignment.Status.SUBMITTED:
            raise AlreadySubmitted(
                f"Assignment {assignment_id} was submitted already.", assignment=assignment_id
            )
        assignment.draft = draft
        assignment.save(update_fields=["draft"])
    return assignment


def extend_lease(*, assignment_id: int, user_id: int, at: datetime | None = None) -> Assignment:
    """The heartbeat of an open work screen: the lease runs anew from `at`. Raises `LeaseGone`."""
    at = at or timezone.now()
    with transaction.atomic():
        assignment = held(assignment_id, user_id, at)
        assignment.expires_at = at + lease_time(assignment.project)
        assignment.save(update_fields=["expires_at"])
    return assignment
