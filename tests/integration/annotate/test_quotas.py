"""Quotas: a day's and a whole one, the project's and a member's own."""

from datetime import timedelta

import pytest
from django.utils import timezone

from annotate.models import Assignment
from ledger.models import Member
from ledger.project_settings import (
    SETTINGS,
    InvalidSetting,
    change_member_settings,
    change_settings,
    clean_settings,
)
from tests.makers import Caller, make_annotator, make_answers, make_instances, make_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project()
    make_instances(project, 6)
    return project


@pytest.fixture
def ann(client, project):
    return Caller(client, make_annotator(project)[2])


def work(caller, times=1):
    """Does so many instances; how many were handed out."""
    for done in range(times):
        answer = caller.post("projects/words/next/")
        if answer.status_code == 204:
            return done
        caller.post(f"assignments/{answer.json()['assignment']}/submit/", {"answers": make_answers()})
    return times


def test_a_day_is_done_and_the_next_one_is_not(project, ann, client):
    change_settings(project, {"quota": {"daily": 2}})
    assert work(ann, 6) == 2
    client.force_login(Member.objects.get(user__email="ann@test.local").user)
    page = client.get("/projects/words/work/")
    assert page.status_code == 200
    assert "<h1>Your quota for today is done</h1>" in page.content.decode()
    Assignment.objects.update(ended_at=timezone.now() - timedelta(days=1))
    assert work(ann, 6) == 2


def test_a_total_counts_every_day(project, ann, client):
    change_settings(project, {"quota": {"total": 3}})
    assert work(ann, 2) == 2
    Assignment.objects.update(ended_at=timezone.now() - timedelta(days=9))
    assert work(ann, 6) == 1
    client.force_login(Member.objects.get(user__email="ann@test.local").user)
    assert "<h1>Your quota is done</h1>" in client.get("/projects/words/work/").content.decode()


def test_a_members_own_quota_wins_limit_by_limit(project, ann, client):
    change_settings(project, {"quota": {"daily": 1, "total": 4}})
    member = Member.objects.get(user__email="ann@test.local")
    change_member_settings(member, {"quota": {"daily": 3}})
    assert work(ann, 6) == 3
    Assignment.objects.update(ended_at=timezone.now() - timedelta(days=1))
    assert work(ann, 6) == 1
    change_member_settings(member, {"quota": None})
    ben = Caller(client, make_annotator(project, "ben@test.local")[2])
    assert work(ben, 6) == 1


def test_what_is_held_may_be_finished(project, ann):
    change_settings(project, {"quota": {"daily": 2}})
    work(ann)
    task = ann.post("projects/words/next/").json()
    change_settings(project, {"quota": {"daily": 1}})
    assert ann.post("projects/words/next/").json()["assignment"] == task["assignment"]
    submit = f"assignments/{task['assignment']}/submit/"
    assert ann.post(submit, {"answers": make_answers()}).status_code == 200
    assert ann.post("projects/words/next/").status_code == 204


def test_without_a_setting_a_cycle_costs_as_many_statements_as_ever(project, ann, statements):
    work(ann)  # a first one, so that what is remembered is
    statements.clear()
    task = ann.post("projects/words/next/").json()
    assert len(statements) == 3, statements  # desk, lease, document
    statements.clear()
    path = f"assignments/{task['assignment']}/submit/"
    ann.post(path, {"answers": make_answers()}, **{"idempotency-key": "k"})
    assert len(statements) == 5, statements  # caller, mine, labels, finish, idempotency key


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"quotas": {}}, "There is no setting named 'quotas'. Did you mean 'quota'?"),
        ({"quota": {"dayly": 2}}, "There is no setting in quota named 'dayly'. Did you mean 'daily'?"),
        ({"quota": {"daily": 0}}, "quota.daily must be a whole number in 1…100,000, not 0."),
        ({"overlap": {"min": 2, "max": 4}}, "overlap needs stop."),
        (
            {"overlap": {"min": 4, "max": 2, "stop": 0.9}},
            "overlap.min must be at most overlap.max (2), not 4.",
        ),
        ({"gold": {"rate": 2}}, "gold.rate must be a number in 0.0…1.0, not 2."),
        ({"finish_first": 1}, "finish_first must be true or false, not 1."),
        ({"skill_rules": []}, "skill_rules must be a list of 1…30 rules, not []."),
        ({"skill_rules": [{"when": {"domain": "law"}}]}, "skill_rules[0] needs need."),
        ({"onboarding": {"quiz": {"instances": ["a"]}}}, "onboarding.quiz needs pass."),
    ],
)
def test_settings_are_refused_by_name(project, given, message):
    with pytest.raises(InvalidSetting) as refusal:
        change_settings(project, given)
    assert refusal.value.detail == message
    project.refresh_from_db()
    assert project.settings == {}


def test_every_setting_is_off_until_set_and_off_again_with_none(project):
    assert project.settings == {}
    change_settings(project, {"quota": {"daily": 2}, "finish_first": True})
    change_settings(project, {"quota": None})
    assert project.settings == {"finish_first": True}
    assert clean_settings(dict.fromkeys(SETTINGS)) == dict.fromkeys(SETTINGS)
