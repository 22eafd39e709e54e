"""What annotators flag: told apart from skips, with who, when and why, and resolved with a word."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotate.actions import flag_assignment, resolve_flag, skip_assignment
from annotate.models import Assignment, Flag, Notice
from annotate.notices import tell_admins
from annotate.problems import LeaseGone
from tests.makers import lease_next, make_annotator, make_instances, make_project
from web.problems import NotFound

PAGE = "/projects/words/flags/"


@pytest.fixture
def project(db, client):
    project = make_project()
    make_instances(project, 3)
    client.force_login(project.owner)
    return project


@pytest.fixture
def flagged(project):
    """i0 is flagged and i1 skipped by ann@test.local."""
    user, rater, _token = make_annotator(project)
    first = lease_next(project, rater)
    flag = flag_assignment(
        assignment_id=first.pk, user_id=user.pk, reason="broken or cut off", at=first.leased_at
    )
    second = lease_next(project, rater)
    skip_assignment(assignment_id=second.pk, user_id=user.pk, reason="It takes too long")
    return flag


def test_a_flag_is_a_skip_that_stands_apart(client, project, flagged):
    assert (flagged.assignment.status, flagged.assignment.reason) == ("skipped", "flag: broken or cut off")
    page = client.get(PAGE).content.decode()
    told, _aside, skips = page.partition("<aside")
    assert "broken or cut off" in told and "ann" in told and "/projects/words/instances/i0/" in told
    assert "It takes too long" in skips and "It takes too long" not in told
    assert "broken or cut off" not in skips
    assert "broken or cut off" in client.get("/projects/words/instances/i0/").content.decode()
    assert "1 flag by annotators waits" in client.get("/projects/words/").content.decode()


def test_resolving_keeps_the_flag_with_what_came_of_it(client, project, flagged):
    path = f"{PAGE}{flagged.pk}/resolve/"
    assert client.post(path, {"note": "The file was cut."}).status_code == 302
    flagged.refresh_from_db()
    assert (flagged.note, flagged.resolved_by, flagged.resolved is not None) == (
        "The file was cut.",
        project.owner,
        True,
    )
    assert client.post(path, {"note": "Another word."}).status_code == 302
    flagged.refresh_from_db()
    assert flagged.note == "The file was cut."
    assert "Nobody has flagged an instance that still waits" in client.get(PAGE).content.decode()
    assert "The file was cut." in client.get(f"{PAGE}?all=1").content.decode()
    assert "waits to be looked into" not in client.get("/projects/words/").content.decode()


def test_another_projects_flag_is_none(project, flagged):
    other = make_project("other")
    with pytest.raises(NotFound):
        resolve_flag(other, flagged.pk, by=other.owner)
    assert Flag.objects.open().count() == 1


def test_an_assignment_that_has_gone_is_not_flagged(project):
    user, rater, _token = make_annotator(project)
    held = lease_next(project, rater)
    skip_assignment(assignment_id=held.pk, user_id=user.pk)
    with pytest.raises(LeaseGone):
        flag_assignment(assignment_id=held.pk, user_id=user.pk, reason="late")
    assert not Flag.objects.exists()


def test_an_annotator_flags_by_the_form(client, project):
    user, rater, _token = make_annotator(project)
    held = lease_next(project, rater)
    client.force_login(user)
    path = f"/projects/words/work/{held.pk}/flag/"
    assert client.post(path, {"flag_reason": "", "flag_words": "Wrong language"}).status_code == 302
    assert Flag.objects.get().reason == "Wrong language"
    assert client.get(PAGE).status_code == 403


def test_notices_are_on_the_overview_until_they_are_seen(client, project):
    notice = tell_admins(project, kind=Notice.Kind.GOLD, text="Ann was paused.", member=None, facts={})
    assert "Ann was paused." in client.get("/projects/words/").content.decode()
    path = f"/projects/words/settings/distribution/notices/{notice.pk}/seen/"
    assert client.post(path, {"from": "overview"}).url == "/projects/words/"
    assert "Ann was paused." not in client.get("/projects/words/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_flags_from_before_are_taken_over():
    project = make_project()
    make_instances(project, 2)
    user, rater, _token = make_annotator(project)
    for reason in ("flag: old", "too long"):
        held = lease_next(project, rater)
        skip_assignment(assignment_id=held.pk, user_id=user.pk, reason=reason, at=held.leased_at)
    executor = MigrationExecutor(connection)
    executor.migrate([("annotate", "0004_onboarding")])
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    (flag,) = Flag.objects.all()
    assert (flag.reason, flag.project, flag.created) == ("old", project, flag.assignment.ended_at)
    assert Assignment.objects.skips_by_reason(project) == [("too long", 1)]
