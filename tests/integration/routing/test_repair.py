"""Routing reads probabilities that people's labels have repaired; a replay and a promise read what was said."""

import math
import random

import numpy as np
import pytest

from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Project, Rater
from routing.loading import load
from routing.planning import Request, plan
from routing.repair import places_of, with_repaired
from tests.integration.judges.making import make_instance, make_project, say
from tests.integration.judges.test_audit import judge_says

pytestmark = pytest.mark.django_db


def sigmoid(z):
    return 1 / (1 + math.exp(-z))


@pytest.fixture
def shifted(db) -> tuple[Project, dict[int, float]]:
    """A judge that is too sure and leans to the second response by two; the truth behind each pair."""
    rng = random.Random(11)
    project = make_project()
    truth, answers, verdicts = {}, {}, {}
    for k in range(400):
        one = make_instance(project, f"i{k}", f"first {k}", f"second {k}")
        z = rng.gauss(0, 1.5)
        truth[one.pk] = sigmoid(z)
        answers[one] = [((0, 1), sigmoid(2 * z + 2))]
        if k < 300:
            verdicts[one] = 1 if rng.random() < sigmoid(z) else -1
    judge_says(project, "leaning", answers)
    judge_says(project, "mute", {})
    say(project, "ann", verdicts)
    return project, truth


def error(table, truth):
    known = np.array([truth[pk] for pk in table.instances])
    return float(np.abs(table.probability[0] - known[table.owner]).mean())


def test_a_route_reads_what_people_have_repaired(shifted):
    project, truth = shifted
    loaded = load(project)
    raw, mended = error(loaded.table, truth), error(with_repaired(loaded).table, truth)
    assert raw > 0.15 and mended < 0.05
    assert (with_repaired(loaded).table.verdict == loaded.table.verdict).all()
    planned = plan(project, Request(policy="uncertainty", seed=1, budget=0.1))
    assert error(planned.loaded.table, truth) == pytest.approx(mended)
    asked = [truth[planned.loaded.table.instances[n]] for n in np.flatnonzero(planned.human)]
    assert (
        np.mean(np.abs(np.array(asked) - 0.5)) < 0.1
    )  # where the judge says ½ the truth is not ½, but here it is


def test_a_promise_reads_what_the_judge_said(shifted):
    project, truth = shifted
    planned = plan(project, Request(policy="guarantee", seed=1, target=0.6, confidence=0.8))
    assert error(planned.loaded.table, truth) == error(load(project).table, truth)


def test_with_few_labels_nothing_is_repaired():
    project = make_project()
    pairs = [make_instance(project, f"i{k}", "a", "b") for k in range(20)]
    judge_says(project, "sure", {one: [((0, 1), 0.99)] for one in pairs})
    say(project, "ann", dict.fromkeys(pairs, -1))
    loaded = load(project)
    assert (with_repaired(loaded).table.probability == loaded.table.probability).all()


def test_pairs_of_larger_instances_are_found():
    project = make_project(order="ranking")
    three = make_instance(project, "three", "a", "b", "c")
    two = make_instance(project, "two", "a", "b")
    judge = project.aspects.get()

    rater = ensure_rater(project, kind=Rater.Kind.JUDGE, name="ranks")
    labels = [NewLabel(three, judge, {"ranks": [1, 2, 3]}), NewLabel(two, judge, {"ranks": [1, 2]})]
    write_labels(project=project, rater=rater, labels=labels)
    found = places_of(load(project).table)
    assert found == {(three.pk, 0, 1): 0, (three.pk, 0, 2): 1, (three.pk, 1, 2): 2, (two.pk, 0, 1): 3}
