"""Working groups, skills and the rules that send an instance to those who have them; nearly finished first."""

import pytest

from annotate.actions import replace_open_work, set_gold, skip_assignment, submit_annotation
from annotate.models import Seat
from annotate.skills import mask_of, skills_of
from ledger.models import Instance, Member
from ledger.project_settings import change_member_settings, change_settings
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

RULES = [
    {"when": {"language": ["es", "ca"]}, "need": ["language:es"]},
    {"when": {"domain": ["law"]}, "need": ["domain:law", "level:expert"]},
]
KINDS = [
    {},
    {"language": "es"},
    {"domain": "law"},
    {"language": "es", "domain": ["law", "tax"]},
    {"language": "en"},
]


def rows(start=0):
    return [make_row(start + n, metadata=kind) for n, kind in enumerate(KINDS)]


@pytest.fixture
def project():
    project = make_project()
    change_settings(project, {"skill_rules": RULES, "groups": {"lawyers": ["domain:law", "level:expert"]}})
    import_rows(project, rows())
    return project


def member_with(project, name, **settings):
    _, rater, token = make_annotator(project, f"{name}@test.local")
    member = Member.objects.get(project=project, user=rater.user_id)
    return change_member_settings(member, settings), token


def had(client, token, *, most=9):
    """What somebody is given, in turn."""
    caller, seen = Caller(client, token), []
    while (answer := caller.post("projects/words/next/")).status_code == 200 and len(seen) < most:
        seen.append(answer.json()["instance"]["id"])
        caller.post(f"assignments/{answer.json()['assignment']}/submit/", {"answers": make_answers()})
    return seen


def needs():
    return dict(Seat.objects.order_by("instance").values_list("instance__ref", "need"))


def test_a_seat_knows_the_rules_that_its_instance_meets(project):
    assert needs() == {"i0": 0, "i1": 1, "i2": 2, "i3": 3, "i4": 0}


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ({}, ["i0", "i4"]),
        ({"skills": ["language:es"]}, ["i1", "i0", "i4"]),
        ({"skills": ["domain:law"]}, ["i0", "i4"]),  # an expert is asked for
        ({"groups": ["lawyers"]}, ["i2", "i0", "i4"]),
        ({"groups": ["lawyers"], "skills": ["language:es"]}, ["i1", "i2", "i3", "i0", "i4"]),
    ],
)
def test_everybody_gets_what_they_have_the_skills_for_the_rarest_first(client, project, settings, given):
    _, token = member_with(project, "x", **settings)
    assert had(client, token) == given


def test_a_superuser_who_is_no_member_may_do_anything(project):
    assert mask_of(project, None) & 3 == 3


def test_skills_are_own_and_of_groups(project):
    member, _ = member_with(project, "x", groups=["lawyers", "gone"], skills=["language:es"])
    assert skills_of(project, member) == {"domain:law", "level:expert", "language:es"}
    assert mask_of(project, member) == 3


def test_rules_that_change_change_the_open_work(client, project):
    _, token = member_with(project, "x")
    change_settings(project, {"skill_rules": RULES[1:]})
    assert needs() == {"i0": 0, "i1": 0, "i2": 1, "i3": 1, "i4": 0}
    import_rows(project, rows(10))
    assert needs()["i13"] == 1
    change_settings(project, {"skill_rules": None})
    assert set(needs().values()) == {0}
    assert len(had(client, token, most=20)) == 10


def test_a_route_keeps_the_needs(client, project):
    ids = dict(Instance.objects.values_list("ref", "pk"))
    project.routed = True
    project.save()
    replace_open_work(project, [ids["i3"], ids["i4"], ids["i0"]])
    assert needs() == {"i0": 0, "i3": 3, "i4": 0}
    _, token = member_with(project, "x")
    assert had(client, token) == ["i4", "i0"]


def test_gold_respects_skills(client, project):
    for instance in Instance.objects.filter(ref__in=("i1", "i4")):
        set_gold(instance, {"overall": {"strength": 1}})
    change_settings(project, {"gold": {"rate": 1.0}})
    _, token = member_with(project, "x")
    assert had(client, token) == ["i4", "i0"]
    _, token = member_with(project, "y", skills=["language:es"])
    assert "i1" in had(client, token)


def test_nearly_finished_first(project):
    plain = make_project("plain", overlap=3)
    make_instances(plain, 3)
    ann = make_annotator(plain, "ann@test.local")
    skip_assignment(assignment_id=lease_next(plain, ann[1]).pk, user_id=ann[0].pk)  # i0 has no answer
    second = lease_next(plain, ann[1])
    assert second.instance.ref == "i1"
    submit_annotation(assignment_id=second.pk, user_id=ann[0].pk, answers=make_answers())
    ben = make_annotator(plain, "ben@test.local")
    change_settings(plain, {"finish_first": True})
    task = lease_next(plain, ben[1])
    assert task.instance.ref == "i1"
    submit_annotation(assignment_id=task.pk, user_id=ben[0].pk, answers=make_answers())
    third = lease_next(plain, ben[1])
    assert third.instance.ref == "i0"
    submit_annotation(assignment_id=third.pk, user_id=ben[0].pk, answers=make_answers())
    chi = make_annotator(plain, "chi@test.local")
    assert order(plain) == ["i1", "i0", "i2"]
    assert lease_next(plain, chi[1]).instance.ref == "i1"
    change_settings(plain, {"finish_first": None})
    assert order(plain)[0] == "i0"
    assert min(Seat.objects.filter(project=plain).values_list("rank", flat=True)) > 0


def order(project):
    unfilled = Seat.objects.filter(project=project).exclude(status="filled").order_by("rank")
    return list(dict.fromkeys(unfilled.values_list("instance__ref", flat=True)))
