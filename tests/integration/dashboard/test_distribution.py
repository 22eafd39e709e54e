"""The page on which admins say how work is handed out, and see who fails checks."""

import pytest

from annotate.actions import set_gold
from annotate.models import Notice, Seat, Standing
from annotate.notices import tell_admins
from dashboard.distribution import DistributionForm, flatten
from ledger.models import Instance, Member
from tests.makers import make_annotator, make_instances, make_project

pytestmark = pytest.mark.django_db

PAGE = "/projects/words/settings/distribution/"


@pytest.fixture
def project(client):
    project = make_project()
    make_instances(project, 4)
    for instance in Instance.objects.filter(ref__in=("i0", "i1")).select_related("project"):
        set_gold(instance, {"overall": {"strength": 1}})
    client.force_login(project.owner)
    return project


def fields(**given):
    return dict.fromkeys(DistributionForm.base_fields, "") | given


def test_what_is_filled_in_is_set_and_shown_again_and_what_is_emptied_is_off(client, project):
    given = fields(
        quota__daily="40",
        overlap__min="1",
        overlap__max="3",
        overlap__stop="0.6",
        finish_first="on",
        gold__rate="0.1",
        gold__threshold="0.7",
        skill_rules='[{"when": {"language": "es"}, "need": ["language:es"]}]',
        onboarding__consent="Read **this**.",
        onboarding__training__instances="i0\r\n\r\n i1 ",
    )
    assert client.post(PAGE, given).status_code == 302
    project.refresh_from_db()
    assert project.settings == {
        "quota": {"daily": 40},
        "overlap": {"min": 1, "max": 3, "stop": 0.6},
        "finish_first": True,
        "gold": {"rate": 0.1, "threshold": 0.7},
        "skill_rules": [{"when": {"language": ["es"]}, "need": ["language:es"]}],
        "onboarding": {"consent": "Read **this**.", "training": {"instances": ["i0", "i1"]}},
    }
    assert set(Seat.objects.values_list("instance__ref", flat=True)) == {"i2", "i3"}
    assert flatten(DistributionForm, project.settings)["gold__rate"] == 0.1
    page = client.get(PAGE).content.decode()
    assert 'name="quota__daily" value="40"' in page
    assert "Read **this**." in page
    assert client.post(PAGE, fields()).status_code == 302
    project.refresh_from_db()
    assert project.settings == {}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"overlap__min": "3", "overlap__max": "2", "overlap__stop": "0.9"},
            "overlap.min must be at most overlap.max",
        ),
        ({"overlap__min": "3"}, "overlap needs max, stop."),
        ({"gold__threshold": "0.5"}, "gold needs rate."),
        ({"gold__rate": "1.5"}, "less than or equal to 1"),
        ({"skill_rules": "[1"}, "Enter a valid JSON"),
        ({"skill_rules": '[{"when": {}, "need": ["x"]}]'}, "skill_rules[0].when must be an object"),
        (
            {"onboarding__training__instances": "i3"},
            "onboarding uses i3: no such instance, or its answer is not known",
        ),
        ({"onboarding__quiz__instances": "i0"}, "onboarding.quiz needs pass."),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_nothing_changes(client, project, given, said):
    answer = client.post(PAGE, fields(**given))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    project.refresh_from_db()
    assert project.settings == {}


def test_other_settings_are_left_alone(client, project):
    project.settings = {"currency": "€", "consensus": "wawa"}
    project.save()
    client.post(PAGE, fields(quota__total="9"))
    project.refresh_from_db()
    assert project.settings == {"currency": "€", "consensus": "wawa", "quota": {"total": 9}}


def test_notices_stand_until_they_are_seen(client, project):
    notice = tell_admins(project, kind=Notice.Kind.GOLD, text="Ann is paused.", member=None, facts={})
    assert "Ann is paused." in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}notices/{notice.pk}/seen/").status_code == 302
    assert "Ann is paused." not in client.get(PAGE).content.decode()


def test_members_with_their_standing_quota_and_skills(client, project):
    _, rater, _ = make_annotator(project)
    Standing.objects.create(rater=rater, gold_n=4, gold_met=3, gold_low=0.3, gold_high=0.95)
    member = Member.objects.get(user__email="ann@test.local")
    edit = f"{PAGE}members/{member.pk}/"
    assert client.post(edit, {"quota__daily": "7", "skills": "language:es\nlevel:expert"}).status_code == 302
    member.refresh_from_db()
    assert member.settings == {"quota": {"daily": 7}, "skills": ["language:es", "level:expert"]}
    page = client.get(PAGE).content.decode()
    assert "0.75 <small>0.30–0.95, n 4</small>" in page
    assert "language:es, level:expert" in page
    assert 'name="quota__daily" value="7"' in client.get(edit).content.decode()


@pytest.mark.parametrize("role", ["annotator", "reviewer"])
def test_only_those_who_manage_the_project(client, project, role):
    user, _, _ = make_annotator(project)
    Member.objects.filter(user=user).update(role=role)
    client.force_login(user)
    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, fields(quota__daily="1")).status_code == 403
    project.refresh_from_db()
    assert project.settings == {}
