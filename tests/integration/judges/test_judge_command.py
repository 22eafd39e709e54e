"""`judge SLUG --judge NAME`: what it writes, what it reports, what it refuses."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from judges.models import CachedAnswer, JudgeRun, RunFailure
from ledger.models import Label
from tests.integration.judges.making import make_instance, make_pairs, make_project, say

pytestmark = pytest.mark.django_db


def judge(slug, name, *words):
    out = StringIO()
    call_command(
        "judge", slug, "--judge", name, "--sync", "--json", "-", *words, stdout=out, stderr=StringIO()
    )
    return json.loads(out.getvalue())


def test_length_prefers_the_longer_and_reports_what_the_contract_names():
    project = make_project()
    make_pairs(project, 5)
    same = make_instance(project, "same", "abc", "xyz")
    report = judge("judged", "length")
    assert {"judge", "labelled", "seconds", "pairs_per_second"} <= set(report)
    assert (report["judge"], report["labelled"]) == ("length", 6)
    found = {
        label.instance.ref: label.value["strength"] for label in Label.objects.select_related("instance")
    }
    assert {ref: (s > 0) - (s < 0) for ref, s in found.items()} == {
        "i0": -1, "i1": 1, "i2": 1, "i3": -1, "i4": 1, "same": 0,
    }  # fmt: skip
    assert Label.objects.get(instance=same).value["probability"] == 0.5


def test_a_second_run_labels_only_what_is_new():
    project = make_project()
    make_pairs(project, 4)
    judge("judged", "length")
    make_instance(project, "late", "short", "much longer than that")
    assert judge("judged", "length")["labelled"] == 1
    assert judge("judged", "length")["labelled"] == 0
    assert Label.objects.count() == 5
    assert not Label.objects.exclude(superseded=None).exists()


def test_limit_takes_the_first_unlabelled_instances():
    project = make_project()
    make_pairs(project, 5)
    assert judge("judged", "length", "--limit", "2")["labelled"] == 2
    assert set(Label.objects.values_list("instance__ref", flat=True)) == {"i0", "i1"}


def test_ratings_and_rankings_get_values_of_their_own_task_types():
    project = make_project(useful="rating", order="ranking")
    make_instance(project, "three", "a" * 20, "b" * 2000, "c" * 200)
    judge("judged", "length")
    values = {label.aspect.name: label.value for label in Label.objects.select_related("aspect")}
    assert values["order"] == {"ranks": [3, 1, 2]}
    ratings = values["useful"]["ratings"]
    assert ratings["0"] < ratings["2"] <= ratings["1"]


@pytest.mark.parametrize(
    ("slug", "name", "words", "said"),
    [
        ("judged", "smolm2", (), "smollm2"),
        ("jugded", "length", (), "judged"),
        ("judged", "length", ("--limit", "0"), "--limit"),
        ("judged", "probe", (), "30 labelled instances"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name_and_nothing_is_written(slug, name, words, said):
    make_pairs(make_project(), 3)
    with pytest.raises(CommandError, match=said):
        judge(slug, name, *words)
    assert not Label.objects.exists()
    assert not JudgeRun.objects.exists()


def test_a_project_without_an_aspect_to_judge_is_refused():
    project = make_project()
    project.aspects.all().delete()
    with pytest.raises(CommandError, match="no aspect to judge"):
        judge("judged", "length")


@pytest.mark.slow
def test_smollm2_writes_both_orders_apart_with_the_average_in_each(weights):
    project = make_project()
    make_pairs(project, 3)
    report = judge("judged", "smollm2")
    assert (report["labelled"], report["failed"], report["status"]) == (3, 0, "done")
    for instance in project.instances.all():
        first, second = Label.objects.filter(instance=instance).order_by("pk")
        assert (first.order, second.order) == ([0, 1], [1, 0])
        assert first.detail["averaged_probability"] == second.detail["averaged_probability"]
        assert 0 < first.detail["mass"] <= 1
        assert first.version == second.version == JudgeRun.objects.get().version.hash
        assert first.duration_ms > 0
    kept = CachedAnswer.objects.count()
    assert kept == 6
    again = judge_again_under_another_name(project)
    assert CachedAnswer.objects.count() == kept  # the same requests, answered from the cache
    assert again["labelled"] == 3
    assert not RunFailure.objects.exists()


def judge_again_under_another_name(project):
    from dataclasses import replace

    from judges.catalog import CATALOG
    from judges.specs import add_judge

    add_judge(project=project, spec=replace(CATALOG["smollm2"], name="smollm2-twin"), author=None)
    return judge("judged", "smollm2-twin")


def test_the_probe_learns_from_people_and_beats_a_coin(weights):
    project = make_project()
    pairs = [
        make_instance(
            project,
            f"p{k}",
            "I refuse." if k % 2 else f"Here is a full and careful answer to number {k}, with its steps.",
            f"Here is a full and careful answer to number {k}, with its steps." if k % 2 else "I refuse.",
        )
        for k in range(60)
    ]
    say(project, "ann", {one: 1 if int(one.ref[1:]) % 2 else -1 for one in pairs})
    assert judge("judged", "probe")["labelled"] == 60
    labels = Label.objects.filter(rater__name="probe").select_related("instance")
    right = [(int(label.instance.ref[1:]) % 2 == 1) == (label.value["strength"] > 0) for label in labels]
    assert sum(right) >= 57
    assert all(label.detail["learnt_from"] < 60 for label in labels)  # never from its own prompt's fold
