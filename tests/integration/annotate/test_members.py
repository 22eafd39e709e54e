"""Whoever is paused or removed holds no work, and can submit none."""

import pytest

from annotate.models import Assignment, Seat
from ledger.actions import set_member_status
from ledger.models import Label, Member
from tests.makers import Caller, make_annotator, make_answers, make_instances, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project()
    make_instances(project, 3)
    return project


def member_of(email="ann@test.local"):
    return Member.objects.select_related("project").get(user__email=email)


@pytest.mark.parametrize(
    ("status", "code", "problem"),
    [(Member.Status.PAUSED, 403, "member-paused"), (Member.Status.REMOVED, 404, "no-such-assignment")],
)
def test_their_lease_is_withdrawn_and_their_submission_refused(client, project, status, code, problem):
    ann = Caller(client, make_annotator(project)[2])
    task = ann.post("projects/words/next/").json()
    path = f"assignments/{task['assignment']}"
    set_member_status(member_of(), status, reason="See me.")
    assert Assignment.objects.get().status == "withdrawn"
    assert Seat.objects.filter(status="open").count() == 3
    for verb, body in (("submit", {"answers": make_answers()}), ("skip", {}), ("heartbeat", {})):
        refused = ann.post(f"{path}/{verb}/", body)
        assert (refused.status_code, refused.json()["type"]) == (code, f"urn:switchyard:problem:{problem}")
    assert not Label.objects.exists()
    ben = Caller(client, make_annotator(project, "ben@test.local")[2])
    assert ben.post("projects/words/next/").json()["instance"]["id"] == task["instance"]["id"]


def test_a_submission_by_someone_removed_in_the_middle_of_it_is_refused(client, project):
    """The lease is still there, as it is where the removal and a hand-out cross; the member's status decides."""
    ann = Caller(client, make_annotator(project)[2])
    task = ann.post("projects/words/next/").json()
    Member.objects.filter(user__email="ann@test.local").update(status="removed")
    refused = ann.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers()})
    assert refused.status_code == 404
    assert not Label.objects.exists()


def test_earlier_work_of_a_paused_member_cannot_be_corrected(client, project):
    user, _, token = make_annotator(project)
    ann = Caller(client, token)
    task = ann.post("projects/words/next/").json()
    ann.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers()})
    set_member_status(member_of(), Member.Status.PAUSED, reason="See me.")
    client.force_login(user)
    assert client.post(f"/projects/words/work/{task['assignment']}/correct/").status_code == 403
    assert Label.objects.filter(superseded=None).count() == Label.objects.count() == 4


def test_whoever_comes_back_gets_work_again_with_the_draft(client, project):
    user, _, token = make_annotator(project)
    ann = Caller(client, token)
    first = ann.post("projects/words/next/").json()
    client.force_login(user)
    client.post(f"/projects/words/work/{first['assignment']}/draft/", {"a1.strength": "1"})
    set_member_status(member_of(), Member.Status.PAUSED)
    set_member_status(member_of(), Member.Status.ACTIVE)
    again = ann.post("projects/words/next/").json()
    assert again["instance"]["id"] == first["instance"]["id"]
    assert again["assignment"] != first["assignment"]
    assert Assignment.objects.get(pk=again["assignment"]).draft == {"fields": {"a1.strength": ["1"]}}


def test_a_heartbeat_moves_the_end_of_the_lease(client, project):
    ann = Caller(client, make_annotator(project)[2])
    task = ann.post("projects/words/next/").json()
    beat = ann.post(f"assignments/{task['assignment']}/heartbeat/")
    assert (beat.status_code, beat.json()["assignment"]) == (200, task["assignment"])
    assert beat.json()["expires_at"] > task["expires_at"]
    stranger = Caller(client, make_annotator(project, "other@test.local")[2])
    assert stranger.post(f"assignments/{task['assignment']}/heartbeat/").status_code == 404
    Assignment.objects.update(status="expired")
    assert ann.post(f"assignments/{task['assignment']}/heartbeat/").status_code == 409
