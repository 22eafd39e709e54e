"""Onboarding: consent, profile, training, quiz; through the pages, and refused by the API until done."""

import re

import pytest

from annotate.actions import set_gold
from annotate.models import Notice, Onboarding, Seat
from annotate.onboarding.profiles import PROFILES
from ledger.actions import set_member_status
from ledger.models import Instance, Label, Member, Project, Rater
from ledger.project_settings import InvalidSetting, change_settings
from tests.makers import Caller, make_annotator, make_instances, make_project

pytestmark = pytest.mark.django_db

CONSENT = "You may stop **at any time**."
WELCOME = "/projects/words/welcome/"
WORK = "/projects/words/work/"


@pytest.fixture
def project():
    """i0 and i1 train, i2 and i3 are the quiz: response 1 is better in all of them."""
    project = make_project()
    make_instances(project, 6)
    for instance in Instance.objects.filter(ref__in=("i0", "i1", "i2", "i3")).select_related("project"):
        set_gold(instance, {"overall": {"strength": 2}}, explanation=f"Because of *{instance.ref}*.")
    return project


@pytest.fixture
def ann(client, project):
    user, _, token = make_annotator(project)
    client.force_login(user)
    return Caller(client, token)


ALL = {
    "consent": CONSENT,
    "profile": {"form": "prism"},
    "training": {"instances": ["i0", "i1"]},
    "quiz": {"instances": ["i2", "i3"], "pass": 0.75, "attempts": 2},
}


def ask(project, *steps, **changed):
    """Asks for these steps, as `ALL` has them but for what is changed."""
    wanted = {name: ALL[name] for name in steps} | {name: ALL[name] | more for name, more in changed.items()}
    change_settings(project, {"onboarding": wanted})


def answer(client, strength, **more):
    """Posts an answer to the exercise that the page shows, as a browser without scripts would."""
    page = client.get(WELCOME).content.decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(step|instance)" value="([^"]*)">', page))
    field = re.search(r'name="(a\d+\.strength)"', page)[1]
    return client.post(WELCOME, {**hidden, field: str(strength), **more})


def step_of(caller):
    refused = caller.post("projects/words/next/")
    if refused.status_code == 200:
        return None
    assert refused.status_code == 403
    document = refused.json()
    assert document["type"] == "urn:switchyard:problem:onboarding-needed"
    assert document["page"] == WELCOME
    return document["step"]


def test_every_step_in_turn(client, project, ann):
    ask(project, "consent", "profile", "training", "quiz")
    assert client.get(WORK).headers["Location"] == WELCOME
    assert client.get(WORK, headers={"HX-Request": "true"}).headers["HX-Redirect"] == WELCOME

    assert step_of(ann) == "consent"
    page = client.get(WELCOME)
    assert "You may stop <strong>at any time</strong>." in page.content.decode()
    assert client.post(WELCOME, {"step": "consent"}).status_code == 422
    assert client.post(WELCOME, {"step": "consent", "agree": "yes"}).status_code == 302

    assert step_of(ann) == "profile"
    given = {"step": "profile", "age": "25-34", "factuality": "90", "religion": "", "share": "on"}
    assert client.post(WELCOME, given | {"factuality": "900"}).status_code == 422
    assert client.post(WELCOME, given).status_code == 302
    rater = Rater.objects.get(name="ann@test.local")
    assert rater.settings == {"profile": {"age": "25-34", "factuality": 90}, "consent": True}

    assert step_of(ann) == "training"
    feedback = answer(client, -1).content.decode()
    assert "Not as agreed" in feedback
    assert "Because of <em>i0</em>." in feedback
    assert "As agreed" in answer(client, 1).content.decode()

    assert step_of(ann) == "quiz"
    assert answer(client, 1).status_code == 302
    passed = answer(client, 1).content.decode()
    assert "You have passed the quiz" in passed
    assert "Because" not in passed
    assert client.get(WELCOME).headers["Location"] == WORK
    assert step_of(ann) is None
    assert not Label.objects.by_people().exists(), "exercises are no verdicts"


@pytest.mark.parametrize("step", ALL)
def test_each_step_is_off_until_set_and_stands_alone(project, ann, step):
    assert step_of(ann) is None
    held = ann.post("projects/words/next/").json()["assignment"]
    ann.post(f"assignments/{held}/skip/")
    ask(project, step)
    assert step_of(ann) == step


def test_a_profile_may_be_passed_over_unless_it_is_required(client, project, ann):
    ask(project, profile={"required": True})
    assert client.post(WELCOME, {"step": "profile", "pass": "1"}).status_code == 422
    ask(project, "profile")
    assert client.post(WELCOME, {"step": "profile", "pass": "1"}).status_code == 302
    assert Rater.objects.get(name="ann@test.local").settings == {}
    assert step_of(ann) is None


def test_nobody_else_sees_a_profile(client, project, ann):
    ask(project, "profile")
    client.post(WELCOME, {"step": "profile", "self_description": "a very rare profile"})
    other, _, token = make_annotator(project, "other@test.local")
    client.force_login(other)
    for path in (WELCOME, WORK, "/", "/settings/"):
        assert b"rare profile" not in client.get(path, follow=True).content
    assert b"rare profile" not in Caller(client, token).get("projects/words/").content


def test_a_quiz_that_is_failed_twice_pauses_and_tells_the_admins(client, project, ann):
    ask(project, "quiz")
    answer(client, 1)
    answer(client, -1)
    assert "You reached 50 %; 75 % are asked for. Attempts left: 1." in client.get(WELCOME).content.decode()
    assert step_of(ann) == "quiz"
    answer(client, -1)
    answer(client, -1)
    refused = client.get(WELCOME)
    assert refused.status_code == 403
    assert "Your quiz fell short" in refused.content.decode()
    notice = Notice.objects.get()
    assert notice.text == "ann@test.local failed the quiz: 0% where 75% is asked for, attempt 2."
    member = Member.objects.select_related("project").get(user__email="ann@test.local")
    set_member_status(member, Member.Status.ACTIVE)
    assert step_of(ann) == "quiz"
    answer(client, 2)
    answer(client, 1)
    assert step_of(ann) is None


def test_a_second_tab_takes_no_step_twice(client, project, ann):
    ask(project, "training")
    page = client.get(WELCOME).content.decode()
    field = re.search(r'name="(a\d+\.strength)"', page)[1]
    first = {"step": "training", "instance": "i0", field: "1"}
    assert client.post(WELCOME, first).status_code == 200
    assert client.post(WELCOME, first).status_code == 302
    assert [entry["instance"] for entry in Onboarding.objects.get().training] == ["i0"]
    assert client.post(WELCOME, {"step": "consent", "agree": "yes"}).status_code == 302
    assert Onboarding.objects.get().agreed is None


def test_an_exercise_without_an_answer_is_asked_again(client, project, ann):
    ask(project, "training")
    again = client.post(WELCOME, {"step": "training", "instance": "i0"})
    assert again.status_code == 422
    assert "Choose an answer." in again.content.decode()
    assert (
        not Onboarding.objects.filter(training__len__gt=0).exists() or not Onboarding.objects.get().training
    )


def test_exercises_are_nobodys_work_nor_gold(client, project, ann):
    ask(project, "training", "quiz")
    change_settings(project, {"gold": {"rate": 1.0}})
    assert set(Seat.objects.values_list("instance__ref", flat=True)) == {"i4", "i5"}
    for strength in (1, 1, 1, 1):
        answer(client, strength)
    assert ann.post("projects/words/next/").json()["instance"]["id"] == "i4"
    change_settings(project, {"onboarding": None})
    assert Seat.objects.count() == 6


def test_another_text_asks_for_consent_again(client, project, ann):
    ask(project, "consent")
    client.post(WELCOME, {"step": "consent", "agree": "yes"})
    assert step_of(ann) is None
    change_settings(project, {"onboarding": {"consent": CONSENT + " And you will be paid."}})
    held = ann.post("projects/words/next/")
    assert held.status_code == 200, "what is held may be finished"
    ann.post(f"assignments/{held.json()['assignment']}/skip/")
    assert step_of(ann) == "consent"


def test_whoever_manages_the_project_is_asked_nothing(client, project):
    ask(project, "consent")
    client.force_login(project.owner)
    assert client.get(WORK).status_code == 200


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({"training": {"instances": ["i0", "i9"]}}, "onboarding uses i9: no such instance"),
        (
            {"quiz": {"instances": ["i5"], "pass": 0.5}},
            "onboarding uses i5: no such instance, or its answer is not",
        ),
        ({"profile": {"form": "tarot"}}, "onboarding.profile.form must be one of prism, short, not 'tarot'."),
    ],
)
def test_what_cannot_be_asked_is_refused_when_it_is_set(project, steps, said):
    with pytest.raises(InvalidSetting, match=re.escape(said)):
        change_settings(project, {"onboarding": steps})
    assert Project.objects.get().settings == {}
    assert Seat.objects.count() == 6


@pytest.mark.parametrize("name", PROFILES)
def test_every_profile_form_is_optional_throughout(name):
    form = PROFILES[name]({})
    assert form.is_valid()
    assert form.profile() == {}
