"""The list of projects and a new one."""

import pytest
from django.test import Client
from django.utils import timezone

from ledger.actions import archive_project
from ledger.models import Project
from ledger.templates import TEMPLATES
from tests.makers import make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(make_user("root@test.local", is_staff=True, is_superuser=True))
    return client


def test_the_form_describes_each_template(staff):
    page = staff.get("/new-project/").content.decode()
    for template in TEMPLATES.values():
        assert template.title in page
        assert template.summary in page


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_project_is_made_from_each_template(staff, template):
    answer = staff.post("/new-project/", {"name": "Kind answers", "template": template, "overlap": 2})
    project = Project.objects.get()
    assert answer.url == "/projects/kind-answers/"
    assert (project.slug, project.name, project.overlap) == ("kind-answers", "Kind answers", 2)
    assert project.aspects.count() == len(TEMPLATES[template].aspects)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"template": "multiprefs"}, "Select a valid choice"),
        ({"overlap": 0}, "greater than or equal to 1"),
        ({"slug": "Two Words"}, "Give an address of lower-case letters, digits and hyphens."),
        ({"name": "回答", "slug": ""}, "Give an address of lower-case letters, digits and hyphens."),
        ({"slug": "words"}, "There is a project at this address already."),
    ],
)
def test_what_is_wrong_is_said_and_nothing_made(staff, wrong, said):
    make_project("words")
    form = {"name": "Words", "template": "blank", "overlap": 1, "slug": "other"}
    assert said in staff.post("/new-project/", form | wrong).content.decode()
    assert Project.objects.count() == 1


def test_search_and_archive(staff):
    make_project("apples")
    archive_project(make_project("pears"), at=timezone.now())
    shown = staff.get("/projects/").content.decode()
    assert "apples" in shown and "pears" not in shown
    assert "pears" in staff.get("/projects/?archived=1").content.decode()
    assert "No project fits" in staff.get("/projects/?q=plum").content.decode()
    assert "apples" in staff.get("/projects/?q=APP").content.decode()


def test_queries_do_not_grow_with_the_projects(staff, django_assert_num_queries):
    for number in range(12):
        make_project(f"p{number}")
    # user, count of projects, a page of them, their sizes, the caller's roles
    with django_assert_num_queries(5):
        staff.get("/projects/")
