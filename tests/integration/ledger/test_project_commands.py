"""create_project and add_annotator: what they make, what they print, what they refuse."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Token, User
from accounts.rights import Role
from ledger.models import Member, Project, Rater

pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_create_project_belongs_to_the_demo_admin_who_is_made_where_missing(settings):
    settings.DEMO = settings.EMBEDDED = True
    report = json.loads(run("create_project", "chats", "--template", "multipref", "--json", "-"))
    project = Project.objects.get(slug="chats")
    assert report == {
        "project": "chats",
        "name": "chats",
        "template": "multipref",
        "overlap": 1,
        "aspects": ["helpful", "truthful", "harmless", "overall"],
    }
    assert project.owner.email == "admin@demo.local"
    assert project.owner.is_superuser
    assert project.owner.check_password("demo")
    assert project.members.get().role == Role.OWNER


def test_create_project_takes_a_name_and_an_overlap(admin_account):
    text = run("create_project", "x", "--template", "ranking", "--name", "Rank them", "--overlap", "3")
    project = Project.objects.get(slug="x")
    assert (project.name, project.overlap, project.owner) == ("Rank them", 3, admin_account)
    assert text == "Made the project x (overlap 3, aspects: overall).\n"


def test_without_a_superuser_outside_the_demo_it_names_createsuperuser(settings):
    settings.DEMO = False
    with pytest.raises(CommandError, match="createsuperuser"):
        run("create_project", "x", "--template", "blank")
    assert not Project.objects.exists()
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["x", "--template", "multipreff"],
            "There is no template named 'multipreff'. Did you mean 'multipref'",
        ),
        (["Not A Slug", "--template", "blank"], "'Not A Slug' is not a slug"),
        (["x", "--template", "blank", "--overlap", "0"], "The overlap must be 1…50, not 0."),
    ],
)
def test_create_project_refuses_and_makes_nothing(admin_account, words, message):
    with pytest.raises(CommandError) as refused:
        run("create_project", *words)
    assert str(refused.value).startswith(message)
    assert not Project.objects.exists()


def test_a_second_project_of_the_same_slug_is_refused(admin_account):
    run("create_project", "x", "--template", "blank")
    with pytest.raises(CommandError, match="There is a project 'x' already."):
        run("create_project", "x", "--template", "ranking")
    assert Project.objects.get().template == "blank"


def test_add_annotator_makes_account_member_and_rater_and_prints_the_token_alone(admin_account):
    run("create_project", "x", "--template", "blank")
    secret = run("add_annotator", "x", "New.Person@example.org").strip()
    user = Token.objects.get(digest=Token.digest_of(secret)).user
    assert user.email == "new.person@example.org"
    assert Member.objects.get(user=user).role == Role.ANNOTATOR
    assert Rater.objects.get(user=user).kind == Rater.Kind.PERSON
    again = run("add_annotator", "x", "new.person@example.org").strip()
    assert Token.objects.filter(user=user).count() == 2 and again != secret


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["y", "a@example.org"], "There is no project named 'y'."),
        (["x", "not-an-address"], "'not-an-address' is not an e-mail address."),
    ],
)
def test_add_annotator_refuses_and_makes_nothing(admin_account, words, message):
    run("create_project", "x", "--template", "blank")
    with pytest.raises(CommandError) as refused:
        run("add_annotator", *words)
    assert str(refused.value).startswith(message)
    assert (User.objects.count(), Token.objects.count()) == (1, 0)


@pytest.fixture
def admin_account(settings) -> User:
    settings.DEMO = False
    return User.objects.create_superuser("root@example.org", "a-long-password")
