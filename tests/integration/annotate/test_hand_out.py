"""Leases under concurrency: the cap on overlap holds, and nothing is lost."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.utils import timezone

from annotate.actions import (
    LEASE,
    extend_lease,
    reclaim_expired,
    reopen_all,
    replace_open_work,
    save_draft,
    skip_assignment,
    submit_annotation,
)
from annotate.models import Assignment, Seat
from annotate.problems import AlreadySubmitted, IncompleteAnswers, LeaseGone, NoSuchAssignment
from ledger.actions import change_overlap
from ledger.models import Instance, Label
from ledger.task_types.base import InvalidAnswer
from tests.makers import (
    import_rows,
    lease_next,
    make_annotator,
    make_answers,
    make_instances,
    make_project,
    make_row,
)
from web.sql import prepared

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project(overlap=2)
    make_instances(project, 3)
    return project


def test_seats_follow_the_overlap(project):
    assert Counter(Seat.objects.values_list("instance__ref", flat=True)) == {"i0": 2, "i1": 2, "i2": 2}
    change_overlap(project, 1)
    assert Seat.objects.count() == 3
    change_overlap(project, 3)
    assert Seat.objects.count() == 9


def test_the_same_lease_until_it_is_done(project):
    user, rater, _ = make_annotator(project)
    first = lease_next(project, rater)
    assert lease_next(project, rater) == first
    assert sorted(first.order) == [0, 1]
    labels = submit_annotation(assignment_id=first.pk, user_id=user.pk, answers=make_answers())
    assert len(labels) == 4
    label = Label.objects.get(pk=labels[0])
    assert (label.order, label.guideline.number, label.rater) == (first.order, 1, rater)
    second = lease_next(project, rater)
    assert second.instance_id != first.instance_id


def test_nobody_sees_an_instance_twice(project):
    user, rater, _ = make_annotator(project)
    seen = []
    while (assignment := lease_next(project, rater)) is not None:
        seen.append(assignment.instance.ref)
        submit_annotation(assignment_id=assignment.pk, user_id=user.pk, answers=make_answers())
    assert sorted(seen) == ["i0", "i1", "i2"]
    assert Seat.objects.filter(status="open").count() == 3


def said_before(number: int, who: str) -> dict:
    vote = {"annotator": who, "task": "pairwise", "aspect": "overall", "value": 1}
    return make_row(number, human=[vote])


def refs_for(project, rater, user) -> list[str]:
    """All that the person is handed, to the end."""
    seen = []
    while (assignment := lease_next(project, rater)) is not None:
        seen.append(assignment.instance.ref)
        submit_annotation(assignment_id=assignment.pk, user_id=user.pk, answers=make_answers())
    return seen


@pytest.mark.parametrize("first", ["the labels", "the member"])
def test_what_a_member_labelled_before_it_was_imported_is_not_asked_again(project, first):
    """Whether they join before or after; the address counts in any case, and others are asked all the same."""
    if first == "the member":
        user, rater, _ = make_annotator(project)
    import_rows(project, [said_before(3, "Ann@test.local"), said_before(4, "bob@test.local")])
    if first == "the labels":
        user, rater, _ = make_annotator(project)
    assert Label.objects.get(instance__ref="i3").rater == rater
    assert progress_of(project, rater) == 0
    assert refs_for(project, rater, user) == ["i0", "i1", "i2", "i4"]
    assert Label.objects.live().filter(instance__ref="i3", rater=rater).count() == 1
    other, cy, _ = make_annotator(project, "cy@test.local")
    assert "i3" in refs_for(project, cy, other)


def progress_of(project, rater) -> int:
    """What counts towards quotas: work done here alone."""
    return Assignment.objects.submitted().filter(project=project, rater=rater).count()


def test_a_second_file_on_what_is_open_counts_too(project):
    """Labels that come to instances that exist already: what is held stays held, the rest is not handed out."""
    user, rater, _ = make_annotator(project)
    held = lease_next(project, rater)
    import_rows(project, [said_before(number, "ann@test.local") for number in (0, 1)])
    assert held.instance.ref == "i0" and lease_next(project, rater) == held
    submit_annotation(assignment_id=held.pk, user_id=user.pk, answers=make_answers())
    assert refs_for(project, rater, user) == ["i2"]


def test_an_expired_lease_is_refused_and_its_draft_kept(project):
    user, rater, _ = make_annotator(project)
    assignment = lease_next(project, rater)
    save_draft(assignment_id=assignment.pk, user_id=user.pk, draft={"half": "done"})
    later = timezone.now() + timedelta(days=1)
    with pytest.raises(LeaseGone):
        submit_annotation(assignment_id=assignment.pk, user_id=user.pk, answers=make_answers(), at=later)
    assert not Label.objects.exists()
    again = lease_next(project, rater, at=later)
    assert again.pk != assignment.pk
    assert (again.instance_id, again.draft, again.order) == (
        assignment.instance_id,
        {"half": "done"},
        assignment.order,
    )
    assert Assignment.objects.get(pk=assignment.pk).status == "expired"


def test_reclaimed_work_goes_to_others_and_the_draft_stays(project):
    user, rater, _ = make_annotator(project)
    _, other, _ = make_annotator(project, "other@test.local")
    change_overlap(project, 1)
    mine = lease_next(project, rater)
    save_draft(assignment_id=mine.pk, user_id=user.pk, draft={"half": "done"})
    later = timezone.now() + timedelta(days=1)
    assert reclaim_expired(at=later) == 1
    assert reclaim_expired(at=later) == 0
    theirs = lease_next(project, other, at=later)
    assert (theirs.instance_id, theirs.draft) == (mine.instance_id, None)
    with pytest.raises(LeaseGone):
        submit_annotation(assignment_id=mine.pk, user_id=user.pk, answers=make_answers(), at=later)


def test_a_heartbeat_keeps_the_lease(project):
    user, rater, _ = make_annotator(project)
    assignment = lease_next(project, rater)
    soon = assignment.expires_at - timedelta(seconds=1)
    extended = extend_lease(assignment_id=assignment.pk, user_id=user.pk, at=soon)
    assert extended.expires_at > assignment.expires_at


def test_a_skipped_instance_goes_to_others_only(project):
    user, rater, _ = make_annotator(project)
    change_overlap(project, 1)
    skipped = lease_next(project, rater)
    skip_assignment(assignment_id=skipped.pk, user_id=user.pk, reason="not my field")
    assert lease_next(project, rater).instance_id != skipped.instance_id
    _, other, _ = make_annotator(project, "other@test.local")
    assert lease_next(project, other).instance_id == skipped.instance_id


def test_refusals_change_nothing(project):
    user, rater, _ = make_annotator(project)
    stranger, *_ = make_annotator(project, "other@test.local")
    assignment = lease_next(project, rater)
    answers = make_answers()
    with pytest.raises(NoSuchAssignment):
        submit_annotation(assignment_id=assignment.pk, user_id=stranger.pk, answers=answers)
    with pytest.raises(IncompleteAnswers, match="An answer is missing for 'overall'"):
        submit_annotation(
            assignment_id=assignment.pk,
            user_id=user.pk,
            answers={k: v for k, v in answers.items() if k != "overall"},
        )
    with pytest.raises(InvalidAnswer, match="overall: strength must be"):
        submit_annotation(
            assignment_id=assignment.pk, user_id=user.pk, answers=answers | {"overall": {"strength": 7}}
        )
    assert not Label.objects.exists()
    assert Assignment.objects.get().status == "leased"
    submit_annotation(assignment_id=assignment.pk, user_id=user.pk, answers=answers)
    with pytest.raises(AlreadySubmitted):
        submit_annotation(assignment_id=assignment.pk, user_id=user.pk, answers=answers)
    assert Label.objects.count() == 4


def test_a_route_replaces_the_open_work(project):
    user, rater, _ = make_annotator(project)
    held = lease_next(project, rater)
    first, second, third = Instance.objects.order_by("pk").values_list("pk", flat=True)
    project.routed = True
    project.save()
    replace_open_work(project, [third, second])
    assert list(
        Seat.objects.filter(status="open").order_by("rank", "slot").values_list("instance", "slot")
    ) == [(third, 0), (third, 1), (second, 0), (second, 1)]
    assert held.instance_id == first
    skip_assignment(assignment_id=held.pk, user_id=user.pk)
    assert not Seat.objects.filter(instance=first).exists()
    project.routed = False
    project.save()
    reopen_all(project)
    assert Seat.objects.filter(status="open").count() == 6


def race(project, people: int, statement: str) -> Counter:
    """Each of `people` threads leases once through `statement` at the same moment; seats by how often they were had."""
    raters = [make_annotator(project, f"p{n}@test.local")[1] for n in range(people)]
    now = timezone.now()
    gate = threading.Barrier(people)

    def lease(rater):
        values = {
            "project": project.pk,
            "rater": rater.pk,
            "at": now,
            "until": now + timedelta(hours=1),
            "salt": 1,
        }
        try:
            prepared("SELECT 1", {})
            gate.wait()
            prepared(statement, values)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(people) as pool:
        list(pool.map(lease, raters))
    return Counter(Assignment.objects.values_list("seat", flat=True))


@pytest.mark.django_db(transaction=True)
def test_the_race_happens_with_the_lock_off_and_not_with_it_on():
    """First the proof that the danger is real, then that the lock and the constraint stop it."""
    people = 16
    unlocked = LEASE.replace("FOR UPDATE OF s SKIP LOCKED", "")
    assert unlocked != LEASE
    open_race = make_project("open-race")
    make_instances(open_race, people)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX one_holder_per_seat")
    try:
        held = race(open_race, people, unlocked)
        assert max(held.values()) > 1, "without lock and constraint one seat should go to several people"
    finally:
        Assignment.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE UNIQUE INDEX one_holder_per_seat ON annotate_assignment (seat_id) "
                "WHERE status IN ('leased', 'submitted')"
            )
    locked = make_project("locked-race")
    make_instances(locked, people)
    held = race(locked, people, LEASE)
    assert len(held) == people
    assert set(held.values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_one_person_in_two_tabs_holds_one_lease():
    project = make_project("tabs")
    make_instances(project, 8)
    _, rater, _ = make_annotator(project)
    gate = threading.Barrier(8)

    def tab(_):
        try:
            prepared("SELECT 1", {})
            gate.wait()
            return lease_next(project, rater).pk
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        leases = set(pool.map(tab, range(8)))
    assert len(leases) == 1
    assert Assignment.objects.count() == 1
    assert Seat.objects.filter(status="held").count() == 1
