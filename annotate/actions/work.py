"""Work on a lease: submit, correct, skip, keep a draft, stay."""

from datetime import datetime
from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from annotate.actions.leases import end, lease_time, seat_the_seatless
from annotate.actions.ranking import put_first
from annotate.models import Assignment
from annotate.problems import AlreadySubmitted, IncompleteAnswers, LeaseGone, NoSuchAssignment
from ledger.access import refuse_paused
from ledger.actions import NewLabel, write_labels
from ledger.models import Aspect, Instance, Member, Project, Rater
from ledger.questions import questions_of
from web.problems import Invalid
from web.sql import prepared

MINE = """
    SELECT a.id, a.project_id, a.instance_id, a.seat_id, a.rater_id, a."order", a.repeat, a.status, a.expires_at,
        i.size, p.revision, p.slug, p.overlap, p.routed, p.settings::text, m.status, m.reason
    FROM annotate_assignment a
    JOIN ledger_rater r ON r.id = a.rater_id
    JOIN ledger_instance i ON i.id = a.instance_id
    JOIN ledger_project p ON p.id = a.project_id
    LEFT JOIN ledger_member m ON m.project_id = a.project_id AND m.user_id = r.user_id
    WHERE a.id = %(assignment)s AND r.user_id = %(user)s
    FOR UPDATE OF a
"""


def mine(assignment_id: int, user_id: int) -> Assignment:
    """The user's own assignment, its row locked, with as much of its instance and project as verbs need.

    Raises `NoSuchAssignment`, also for somebody else's and for a removed member's; `MemberPaused`.
    """
    rows = prepared(MINE, {"assignment": assignment_id, "user": user_id})
    if not rows or rows[0][-2] == Member.Status.REMOVED:
        raise NoSuchAssignment(f"There is no assignment {assignment_id} of yours.", assignment=assignment_id)
    *row, member_status, member_reason = rows[0]
    if member_status == Member.Status.PAUSED:
        refuse_paused(row[11], member_reason)
    return as_assignment(*row)


def as_assignment(
    pk: int, project: int, instance: int, seat: int | None, rater: int, *row: Any
) -> Assignment:
    """The assignment of a row of `MINE`."""
    order, repeat, status, expires, size, revision, slug, overlap, routed, options = row
    found = Assignment(
        pk=pk,
        seat_id=seat,
        order=order,
        repeat=repeat,
        status=status,
        expires_at=expires,
        rater=Rater(pk=rater),
    )
    found.project = Project(
        pk=project,
        revision=revision,
        slug=slug,
        overlap=overlap,
        routed=routed,
        settings=orjson.loads(options),
    )
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
        if assignment.seat_id is None and not assignment.repeat:
            seat_the_seatless(assignment.instance.pk)
        if assignment.project.settings.get("finish_first"):
            put_first(assignment.project, [assignment.instance.pk])
    return labels


FINISH = """
    WITH filled AS (UPDATE annotate_seat SET status = 'filled' WHERE id = %(seat)s)
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
