"""A judge worse than "the longer wins" is called so before its labels stand: by the command and on the page."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from judges.standing import standing
from quality.panels import Standing
from routing.models import Route
from tests.integration.judges.making import make_instance, make_project, say
from tests.integration.judges.test_audit import judge_says

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    """People prefer the longer response; one judge does, too, the other never."""
    made = make_project("weak")
    pairs = [make_instance(made, f"i{k}", "short", "a longer response", prompt=f"q{k}") for k in range(60)]
    say(made, "ann", {one: 1 if k % 5 else -1 for k, one in enumerate(pairs)})
    judge_says(made, "contrary", {one: [((0, 1), 0.1)] for one in pairs})
    judge_says(made, "wise", {one: [((0, 1), 0.9 if k % 5 else 0.1)] for k, one in enumerate(pairs)})
    return made


def routed(judge, *words):
    out, err = StringIO(), StringIO()
    call_command(
        "route", "weak", "--policy", "random", "--budget", "0.2", "--judge", judge, "--json", "-", *words,
        stdout=out, stderr=err,
    )  # fmt: skip
    return out.getvalue(), err.getvalue()


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_the_command_says_so_and_its_json_stays_clean(project, words):
    out, err = routed("contrary", *words)
    assert "contrary agrees with people less than taking the longer response would" in err
    assert out.startswith("{") and "agrees" not in out
    assert Route.objects.exists() is not bool(words)


def test_nothing_is_said_of_a_judge_that_is_better(project):
    assert standing(project.aspects.get(), "wise") == Standing.ABOVE
    assert "agrees with people less" not in routed("wise")[1]


def test_the_page_names_every_weak_judge_before_it_is_chosen(project):
    client = Client()
    client.force_login(project.owner)
    page = client.get("/projects/weak/routing/").content.decode()
    assert "contrary agrees with people less" in page and "wise agrees with people less" not in page


def test_with_few_labels_nothing_is_claimed():
    made = make_project("few")
    pairs = [make_instance(made, f"i{k}", "short", "a longer response") for k in range(3)]
    judge_says(made, "new", {one: [((0, 1), 0.1)] for one in pairs})
    assert standing(made.aspects.get(), "new") == Standing.FEW
    assert standing(made.aspects.get(), "nobody") == Standing.FEW
