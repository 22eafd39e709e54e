"""Dynamic overlap: stops early where it is clear, asks on where it is not, never over the maximum."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import OperationalError, connections

from annotate.actions import (
    correct_annotation,
    overlap,
    replace_open_work,
    submit_annotation,
)
from annotate.models import Assignment, Seat
from ledger.models import Instance, Label
from ledger.project_settings import change_settings
from tests.makers import (
    Caller,
    import_rows,
    lease_next,
    make_annotator,
    make_answers,
    make_instances,
    make_project,
    make_row,
)

pytestmark = pytest.mark.django_db

RULE = {"min": 2, "max": 4, "stop": 0.75}  # two alike are enough: 0.79


@pytest.fixture
def project():
    project = make_project()
    change_settings(project, {"overlap": RULE})
    make_instances(project, 1)
    return project


def say(client, project, name, strength):
    """One person's answer over HTTP; whether they were handed the instance."""
    caller = Caller(client, make_annotator(project, f"{name}@test.local")[2])
    answer = caller.post(f"projects/{project.slug}/next/")
    if answer.status_code == 204:
        return False
    path = f"assignments/{answer.json()['assignment']}/submit/"
    assert caller.post(path, {"answers": make_answers(strength)}).status_code == 200
    return True


def seats():
    return Counter(Seat.objects.values_list("status", flat=True))


def test_two_alike_are_enough(client, project):
    assert seats() == {"open": 2}
    assert say(client, project, "a", 1)
    assert say(client, project, "b", 2)
    assert seats() == {"filled": 2}
    assert not say(client, project, "c", 1)


def test_two_who_differ_call_a_third_and_the_maximum_holds(client, project):
    say(client, project, "a", 1)
    say(client, project, "b", -1)
    assert seats() == {"filled": 2, "open": 1}
    assert say(client, project, "c", 0)
    assert seats() == {"filled": 3, "open": 1}
    assert say(client, project, "d", 1)
    assert seats() == {"filled": 4}
    assert not say(client, project, "e", 1)
    assert sorted(Seat.objects.values_list("slot", flat=True)) == [0, 1, 2, 3]


def test_a_third_who_settles_it_closes_the_rest(client, project):
    change_settings(project, {"overlap": RULE | {"stop": 0.6}})
    say(client, project, "a", 1)
    say(client, project, "b", -1)
    assert say(client, project, "c", 1)  # 2 to 1 to 0: 0.63
    assert seats() == {"filled": 3}


def test_a_correction_opens_and_closes(client, project):
    user, rater, _ = make_annotator(project, "a@test.local")
    say(client, project, "a", 1)
    say(client, project, "b", 1)
    assert seats() == {"filled": 2}
    mine = Assignment.objects.get(rater=rater)
    correct_annotation(assignment_id=mine.pk, user_id=user.pk, answers=make_answers(-1))
    assert seats() == {"filled": 2, "open": 1}
    correct_annotation(assignment_id=mine.pk, user_id=user.pk, answers=make_answers(1))
    assert seats() == {"filled": 2}


def test_whoever_holds_a_seat_that_is_no_longer_wanted_may_finish(client, project):
    change_settings(project, {"overlap": RULE | {"min": 3}})
    user, rater, _ = make_annotator(project, "late@test.local")
    held = lease_next(project, rater)
    say(client, project, "a", 1)
    say(client, project, "b", 1)
    change_settings(project, {"overlap": RULE})
    assert seats() == {"filled": 2, "held": 1}
    assert Seat.objects.get(status="held").closing
    submit_annotation(assignment_id=held.pk, user_id=user.pk, answers=make_answers(-1))
    assert Label.objects.values("rater").distinct().count() == 3
    assert seats() == {"filled": 3, "open": 1}  # 2 to 1 is 0.63: not clear any more


def test_imported_people_have_spoken(client):
    project = make_project("imported")
    change_settings(project, {"overlap": RULE})
    human = [
        {"annotator": f"h{n}", "kind": "crowd", "task": "pairwise", "aspect": "overall", "value": value}
        for n, value in enumerate((1, -1))
    ]
    import_rows(
        project, [make_row(0, human=human), make_row(1, human=[human[0], human[0] | {"annotator": "x"}])]
    )
    assert list(Seat.objects.values_list("instance__ref", "status")) == [("i0", "open")]


def test_a_rule_that_comes_later_fits_what_is_there(client):
    project = make_project("later", overlap=3)
    make_instances(project, 2)
    for name in "ab":
        say(client, project, name, 1)
    assert seats() == {"filled": 2, "open": 4}
    change_settings(project, {"overlap": RULE})
    assert seats() == {"filled": 2, "open": 2}
    change_settings(project, {"overlap": None})
    assert seats() == {"filled": 2, "open": 4}


def test_a_route_starts_with_the_minimum_and_leaves_the_rest_to_the_judge(client, project):
    make_instances(project, 3)
    first, second, _third = Instance.objects.order_by("pk").values_list("pk", flat=True)
    say(client, project, "a", 1)
    project.routed = True
    project.save()
    replace_open_work(project, [second, first])
    assert list(Seat.objects.filter(status="open").order_by("rank").values_list("instance", flat=True)) == [
        second,
        second,
        first,
    ]


def test_an_instance_that_a_new_route_leaves_to_the_judge_gets_no_seat_again(client, project):
    make_instances(project, 3)
    first, second, _third = Instance.objects.order_by("pk").values_list("pk", flat=True)
    user, rater, _ = make_annotator(project, "late@test.local")
    held = lease_next(project, rater)
    assert held.instance_id == first
    project.routed = True
    project.save()
    replace_open_work(project, [second])
    submit_annotation(assignment_id=held.pk, user_id=user.pk, answers=make_answers(1))
    correct_annotation(assignment_id=held.pk, user_id=user.pk, answers=make_answers(-1))
    assert set(Seat.objects.filter(status="open").values_list("instance", flat=True)) == {second}
    replace_open_work(project, [first])
    assert Seat.objects.filter(status="open").values_list("instance", flat=True).get() == first


def differ_at_once(project):
    """Two people who hold seats submit opposite answers in the same moment; the errors."""
    people = [make_annotator(project, f"p{n}@test.local")[:2] for n in range(2)]
    leases = [lease_next(project, rater) for _, rater in people]
    gate = threading.Barrier(2)

    def submit(n):
        try:
            gate.wait()
            submit_annotation(
                assignment_id=leases[n].pk, user_id=people[n][0].pk, answers=make_answers((-1, 1)[n])
            )
        except OperationalError as error:
            return str(error)
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(2) as pool:
        return [error for error in pool.map(submit, range(2)) if error]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(5))
def test_two_who_differ_at_the_same_moment_call_a_third(round_):
    project = make_project(f"race-{round_}")
    change_settings(project, {"overlap": RULE})
    make_instances(project, 1)
    assert differ_at_once(project) == []
    assert seats() == {"filled": 2, "open": 1}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [False, True])
def test_the_race_happens_with_the_lock_off_and_not_with_it_on(monkeypatch, locked):
    """Both read what was said before either commits: each sees their own vote alone, and no third is asked. (Where each
    also waits for the other's seat, PostgreSQL throws one of the submissions away.)

    With the instance's row locked the second cannot read until the first has committed, so that they never meet.
    """
    read, meeting = overlap.prepared, threading.Barrier(2)
    met = []

    def reading(sql, values):
        rows = read(sql, values)
        if sql == overlap.SAID:
            try:
                meeting.wait(timeout=1.5)
                met.append(True)
            except threading.BrokenBarrierError:
                met.append(False)
        return rows

    project = make_project("race")
    change_settings(project, {"overlap": RULE})
    make_instances(project, 1)
    monkeypatch.setattr(overlap, "prepared", reading)
    if not locked:
        unlocked = overlap.LOCK.replace("FOR NO KEY UPDATE", "")
        assert unlocked != overlap.LOCK
        monkeypatch.setattr(overlap, "LOCK", unlocked)
    errors = differ_at_once(project)
    assert met == [not locked] * 2
    if locked:
        assert errors == [] and seats() == {"filled": 2, "open": 1}
    else:
        assert seats()["open"] == 0 and all("deadlock" in error for error in errors)
