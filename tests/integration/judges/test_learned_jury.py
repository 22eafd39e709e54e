"""A jury that learns its weights from people: the better member counts for more, a contrary one for nothing."""

import random
from dataclasses import replace

import numpy as np
import pytest

from judges.catalog import CATALOG, BackendSpec, MethodSpec
from judges.learning import jury_weights, non_negative
from judges.loading import pinned
from judges.problems import NotEnoughLabels
from tests.integration.judges.making import make_pairs, make_project, say
from tests.integration.judges.test_audit import judge_says, sigmoid
from web.problems import Invalid


def test_weights_are_the_logistic_regressions_and_never_negative():
    rng = np.random.default_rng(2)
    z = rng.normal(size=(4000, 3))
    y = (rng.random(4000) < 1 / (1 + np.exp(-(z @ [1.5, 0.5, -1.0])))).astype(float)
    found = non_negative(z, y)
    assert found[2] == 0.0
    assert found[0] == pytest.approx(3 * found[1], rel=0.25)


@pytest.mark.django_db
def test_a_learned_jury_pins_its_weights_in_the_version():
    rng, project = random.Random(8), make_project()
    good, bad, truth = {}, {}, {}
    for one in make_pairs(project, 200):
        z = rng.gauss(0, 2)
        truth[one] = 1 if rng.random() < sigmoid(z) else -1
        good[one] = [((0, 1), sigmoid(z))]
        bad[one] = [((0, 1), sigmoid(rng.gauss(0, 2)))]
    judge_says(project, "good", good)
    judge_says(project, "bad", bad)
    say(project, "ann", truth)
    aspect = project.aspects.get()
    first, second = jury_weights(aspect, ["good", "bad"])
    assert first > 3 * second >= 0
    members = [{"name": name, "methods": {"pairwise": {"name": "pairwise"}}} for name in ("good", "bad")]
    spec = replace(
        CATALOG["length"],
        name="jury",
        methods={"pairwise": MethodSpec("jury", {"members": members, "combine": "learned"})},
        backends={"good": BackendSpec("length"), "bad": BackendSpec("length")},
    )
    chosen = pinned(spec, project, [aspect]).methods["pairwise"].parameters["members"]
    assert [one["weight"] for one in chosen] == pytest.approx([first, second])


@pytest.mark.django_db
def test_a_jury_of_which_nobody_agrees_with_people_has_nothing_to_weigh():
    project = make_project()
    pairs = make_pairs(project, 40)
    judge_says(project, "contrary", {one: [((0, 1), 0.2)] for one in pairs})
    say(project, "ann", dict.fromkeys(pairs, 1))
    with pytest.raises(Invalid, match="agrees with people"):
        jury_weights(project.aspects.get(), ["contrary"])


@pytest.mark.django_db
def test_a_jury_without_common_labels_is_refused():
    project = make_project()
    make_pairs(project, 3)
    with pytest.raises(NotEnoughLabels):
        jury_weights(project.aspects.get(), ["good"])
