"""The dashboard's panels of quality on real sets and on planted ones."""

import numpy as np
import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext

from accounts.actions import command_line_owner
from ledger.actions import NewLabel, create_project, ensure_rater, write_labels
from ledger.imports.load import import_file
from ledger.models import Instance, Rater, Response
from quality.panels import (
    Standing,
    compare_judges,
    compare_people,
    people_among_themselves,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("empty_cache")]


@pytest.fixture
def overall(shared_data):
    def load(name):
        project = create_project(slug=name, template="blank", owner=command_line_owner())
        import_file(project, shared_data(name))
        return project.aspects.get(name="overall")

    return load


def make_pairs(n: int):
    """A project of n pairs whose second response is the longer one; its aspect and instances."""
    project = create_project(slug="planted", template="multipref", owner=command_line_owner())
    rows = [
        Instance(
            project=project, ref=str(i), prompt="?", size=2, content_hash=f"{i:064}", prompt_hash=f"{i:032}"
        )
        for i in range(n)
    ]
    instances = Instance.objects.bulk_create(rows)
    Response.objects.bulk_create(
        Response(instance=instance, index=index, key=str(index), text="x" * (10 + 10 * index))
        for instance in instances
        for index in (0, 1)
    )
    return project.aspects.get(name="overall"), instances


def say(aspect, kind, name, instances, strengths, orders=((),), **more):
    rater = ensure_rater(aspect.project, kind=kind, name=name)
    labels = [
        NewLabel(instance=instance, aspect=aspect, value={"strength": int(strength), **more}, order=order)
        for order in orders
        for instance, strength in zip(instances, strengths)
    ]
    write_labels(project=aspect.project, rater=rater, labels=labels)


def test_on_mtbench_gpt4_stands_in_for_a_person_and_beats_the_baseline(overall):
    panel = compare_judges(overall("mtbench"))
    assert panel.best.name == "gpt-4/mt-bench-pair"
    assert panel.best.standing == Standing.ABOVE
    assert panel.best_beside_a_person == "alike"
    assert panel.one_person.majority.value == pytest.approx(0.734, abs=0.001)
    assert panel.baseline.majority.value == pytest.approx(0.553, abs=0.001)


def test_on_pandalm_people_beat_both_judges(overall):
    panel = compare_judges(overall("pandalm"))
    assert panel.best.name == "gpt-3.5-turbo"
    assert panel.best_beside_a_person == "below"
    assert panel.best.person_gap.value == pytest.approx(-0.229, abs=0.001)


def test_a_judge_below_the_longer_wins_is_shown_as_such():
    aspect, instances = make_pairs(80)
    rng = np.random.default_rng(0)
    people = np.where(rng.random(80) < 0.7, 1, -1)  # the longer one is better in 7 of 10
    for name in ("ann", "ben"):
        say(aspect, Rater.Kind.PERSON, name, instances, people)
    say(aspect, Rater.Kind.JUDGE, "coin", instances, rng.choice([-1, 1], 80))
    panel = compare_judges(aspect)
    assert panel.judges[0].standing == Standing.BELOW
    html = render_to_string("quality/judges_beside_people.html", {"panel": panel})
    assert "below the baseline" in html
    assert "the longer wins (baseline)" in html
    assert "one person against the others" in html


def test_a_judge_that_always_says_a_flips_always_and_earns_what_a_coin_earns():
    aspect, instances = make_pairs(40)
    say(aspect, Rater.Kind.PERSON, "ann", instances, np.tile([1, -1], 20))
    say(aspect, Rater.Kind.JUDGE, "always-a", instances, np.full(40, -1), orders=[(0, 1)], probability=0.2)
    say(aspect, Rater.Kind.JUDGE, "always-a", instances, np.full(40, 1), orders=[(1, 0)], probability=0.9)
    panel = compare_judges(aspect)
    row = panel.judges[0]
    assert (row.flips.value, row.flips.n, row.length) == (1.0, 40, None)
    assert (row.majority.value, row.averaged.value) == (
        0.0,
        0.5,
    )  # logit .2 + logit .9 > 0: the second, always
    assert "orders averaged:<br>0.50" in render_to_string(
        "quality/judges_beside_people.html", {"panel": panel}
    )
    assert row.gap.value == pytest.approx(
        0.0
    )  # every verdict folded to a tie: half right, like "the longer wins"


def test_few_comparisons_say_nothing():
    aspect, instances = make_pairs(10)
    say(aspect, Rater.Kind.PERSON, "ann", instances, np.ones(10))
    say(aspect, Rater.Kind.JUDGE, "wrong", instances, -np.ones(10))
    panel = compare_judges(aspect)
    assert panel.judges[0].standing == Standing.FEW
    assert panel.best is None
    assert "too few to say" in render_to_string("quality/judges_beside_people.html", {"panel": panel})


def test_who_leans_to_one_side_is_found_and_comes_first():
    aspect, instances = make_pairs(60)
    say(aspect, Rater.Kind.PERSON, "ann", instances, np.tile([1, -1], 30), orders=[(0, 1)])
    say(aspect, Rater.Kind.PERSON, "leans", instances, np.full(60, -1), orders=[(0, 1)])
    leans, ann = compare_people(aspect)
    assert (leans.name, leans.leans, leans.first_shown.value) == ("leans", True, 1.0)
    assert (ann.name, ann.leans, ann.labels) == ("ann", False, 60)
    assert "leans to one side" in render_to_string("quality/people_one_by_one.html", {"rows": [leans, ann]})


def test_agreement_is_computed_once_until_the_ledger_changes():
    aspect, instances = make_pairs(40)
    say(aspect, Rater.Kind.PERSON, "ann", instances, np.ones(40))
    before = people_among_themselves(aspect.project)
    with CaptureQueriesContext(connection) as seen:
        assert people_among_themselves(aspect.project) == before
    assert len(seen) == 1 + 2 * len(before)  # the aspects; for each the ledger's labels and instances
    say(aspect, Rater.Kind.PERSON, "ben", instances, np.ones(40))
    row = next(row for row in people_among_themselves(aspect.project) if row.aspect == "Overall")
    assert (row.people.people, row.people.raw.value) == (2, 1.0)


def test_the_people_of_a_large_crowd_are_cut_to_a_page_that_can_be_read():
    aspect, instances = make_pairs(1)
    for number in range(103):
        say(aspect, Rater.Kind.PERSON, f"worker-{number:03}", instances, np.ones(1))
    html = render_to_string("quality/people_one_by_one.html", {"rows": compare_people(aspect)})
    assert html.count("worker-") == 100
    assert "The 100 who come first, of 103" in html


def test_every_panel_renders_without_a_single_label():
    project = create_project(slug="nothing", template="multipref", owner=command_line_owner())
    aspect = project.aspects.get(name="overall")
    panel = compare_judges(aspect)
    assert "Nobody has labelled this yet" in render_to_string(
        "quality/judges_beside_people.html", {"panel": panel}
    )
    rows = people_among_themselves(project)
    assert "Harmless" in render_to_string("quality/people_among_themselves.html", {"rows": rows})
    assert "Nobody has labelled" in render_to_string(
        "quality/people_one_by_one.html", {"rows": compare_people(aspect)}
    )
