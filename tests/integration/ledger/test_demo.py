"""The demo project: loaded once, left alone afterwards, refused where its passwords would be a hole."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from ledger.actions import write_guidelines
from ledger.demo import FOLDER
from ledger.models import Instance, Label, Project, Rater

pytestmark = pytest.mark.django_db


def load() -> dict:
    out = StringIO()
    call_command("load_demo", "--json", "-", stdout=out)
    return json.loads(out.getvalue())


def state() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (User, Project, Instance, Label, Rater))


def test_it_makes_the_accounts_and_projects_of_the_contract():
    report = load()
    assert report["projects"] == {"demo": 61, "demo-ranking": 4}
    admin = User.objects.get(email="admin@demo.local")
    assert admin.is_superuser
    for number in (1, 2, 3):
        annotator = User.objects.get(email=f"ann{number}@demo.local")
        assert annotator.check_password("demo")
        assert not annotator.is_superuser
        assert set(annotator.memberships.values_list("project__slug", "role")) == {
            ("demo", "annotator"),
            ("demo-ranking", "annotator"),
        }
    demo = Project.objects.get(slug="demo")
    assert (demo.template, demo.overlap, demo.owner) == ("multipref", 1, admin)
    assert "Which answer serves the person better?" in demo.guidelines().text


def test_a_second_time_changes_nothing_that_people_made():
    load()
    demo = Project.objects.get(slug="demo")
    write_guidelines(demo, text="Our own.", author=demo.owner)
    ann = User.objects.get(email="ann1@demo.local")
    ann.set_password("mine")
    ann.save()
    before = state()
    load()
    assert state() == before
    assert demo.guidelines().text == "Our own."
    assert User.objects.get(email="ann1@demo.local").check_password("mine")


def test_it_is_refused_where_a_database_is_given(settings):
    settings.EMBEDDED = False
    before = state()
    with pytest.raises(CommandError, match="known passwords"):
        call_command("load_demo")
    assert state() == before


def test_some_of_it_is_labelled_and_most_of_the_work_is_open():
    load()
    demo = Project.objects.get(slug="demo")
    labelled = Label.objects.filter(project=demo).values("instance").distinct().count()
    assert 20 <= labelled <= 40
    assert demo.instances.count() - labelled >= 20


def test_its_texts_show_what_the_product_can_do():
    text = (FOLDER / "instances.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert len({row["id"] for row in rows}) == len({json.dumps(row["prompt"]) for row in rows}) == 61
    assert {row["licence"] for row in rows} == {"CC0-1.0"}
    assert {row["meta"]["language"] for row in rows} == {"en", "es", "zh", "ar", "de", "fr", "ja"}
    assert {"code", "mathematics", "safety", "creative", "general"} <= {row["meta"]["domain"] for row in rows}
    assert sum(isinstance(row["prompt"], list) for row in rows) >= 5
    assert all(mark in text for mark in ("```python", "$$", "|---|", "**"))


def test_the_place_of_a_response_in_the_file_says_nothing():
    """The better response is first about as often as second, and the longer one wins in little more than half."""
    rows = [
        json.loads(line) for line in (FOLDER / "instances.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    verdicts = [
        (label["value"], len(row["responses"][1]["text"]) - len(row["responses"][0]["text"]))
        for row in rows
        for label in row.get("human", [])
        if label["aspect"] == "overall" and label["value"]
    ]
    second = sum(value > 0 for value, _ in verdicts) / len(verdicts)
    longer = sum((value > 0) == (gap > 0) for value, gap in verdicts) / len(verdicts)
    assert 0.35 < second < 0.65
    assert 0.5 < longer < 0.7
