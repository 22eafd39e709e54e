"""Every aggregator on the same known answers; Dawid-Skene against crowd-kit, Bradley-Terry against choix."""

import choix
import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import DawidSkene as ReferenceDawidSkene

from quality.consensus import AGGREGATORS
from quality.consensus.bradley_terry import BradleyTerry
from quality.consensus.dawid_skene import DawidSkene
from quality.consensus.fused import Fused
from quality.consensus.wawa import Wawa
from quality.problems import NotConverged
from tests.unit.quality.sets import pair_set


def crowd(*, seed: int, accuracies: list[float], n_items: int = 400):
    """Labels of raters with the given accuracies, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, 2, n_items)
    items = np.repeat(np.arange(n_items), len(accuracies))
    raters = np.tile(np.arange(len(accuracies)), n_items)
    wrong = (truth[items] + rng.integers(1, 3, len(items)) + 1) % 3 - 1
    right = rng.random(len(items)) < np.array(accuracies)[raters]
    return items, raters, np.where(right, truth[items], wrong), truth


@pytest.mark.parametrize("name", AGGREGATORS.names())
def test_every_aggregator_agrees_with_unanimous_raters(name):
    items, raters = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1] * 3)
    fitted = AGGREGATORS.load(name)().fit(items, raters, np.array([1, 1, -1, -1, 0, 0]), n_items=4)
    assert fitted.verdicts_[:3].tolist() == [1, -1, 0]
    assert fitted.decided_.tolist() == [True, True, True, False]
    assert fitted.probabilities_.sum(axis=1) == pytest.approx([1, 1, 1, 0])


@pytest.mark.parametrize("name", AGGREGATORS.names())
def test_every_aggregator_answers_for_no_labels(name):
    none = np.array([], dtype=int)
    fitted = AGGREGATORS.load(name)().fit(none, none, none, n_items=2)
    assert fitted.decided_.tolist() == [False, False]


@pytest.mark.parametrize("name", AGGREGATORS.names())
def test_every_aggregator_recovers_the_truth_of_a_good_crowd(name):
    items, raters, verdicts, truth = crowd(seed=1, accuracies=[0.9, 0.85, 0.8, 0.75, 0.7])
    fitted = AGGREGATORS.load(name)().fit(items, raters, verdicts, n_items=len(truth))
    assert (fitted.verdicts_ == truth).mean() > 0.93
    assert np.argmax(fitted.skills_) == 0


@pytest.mark.parametrize("name", AGGREGATORS.names())
def test_mirrored_labels_give_the_mirrored_consensus(name):
    data = pair_set("mtbench")
    ours = AGGREGATORS.load(name)().fit(data.items, data.raters, data.verdicts, n_items=data.n_items)
    mirrored = AGGREGATORS.load(name)().fit(data.items, data.raters, -data.verdicts, n_items=data.n_items)
    assert mirrored.probabilities_[:, ::-1] == pytest.approx(ours.probabilities_, abs=1e-6)


def test_majority_leaves_a_split_undecided():
    majority = AGGREGATORS.load("majority")().fit(
        np.zeros(2, int), np.arange(2), np.array([1, -1]), n_items=1
    )
    assert (majority.verdicts_.tolist(), majority.decided_.tolist()) == ([0], [False])


def test_dawid_skene_hears_one_good_rater_among_noise():
    items, raters, verdicts, truth = crowd(seed=2, accuracies=[0.95, 0.5, 0.5, 0.5], n_items=2000)
    majority = AGGREGATORS.load("majority")().fit(items, raters, verdicts, n_items=len(truth))
    fitted = DawidSkene().fit(items, raters, verdicts, n_items=len(truth))
    assert (fitted.verdicts_ == truth).mean() > (majority.verdicts_ == truth).mean() + 0.08


def test_dawid_skene_without_shrinkage_equals_crowd_kit():
    data = pair_set("pandalm")
    ours = DawidSkene(shrinkage=0, tolerance=1e-9).fit(
        data.items, data.raters, data.verdicts, n_items=data.n_items
    )
    frame = pd.DataFrame({"task": data.items, "worker": data.raters, "label": data.verdicts})
    reference = ReferenceDawidSkene(n_iter=5000, tol=1e-12).fit(frame).probas_
    expected = reference.reindex(columns=[-1, 0, 1]).sort_index().to_numpy()
    assert ours.probabilities_ == pytest.approx(expected, abs=1e-3)


def test_wawa_equals_a_plain_calculation():
    """crowd-kit 1.4.2's own Wawa does not run beside scikit-learn 1.9."""
    items, raters, verdicts = (
        np.array([0, 0, 0, 1, 1, 1]),
        np.array([0, 1, 2, 0, 1, 2]),
        np.array([1, 1, 0, -1, 1, 0]),
    )
    fitted = Wawa().fit(items, raters, verdicts, n_items=2)
    # Item 0: raters 0 and 1 agree with the majority. Item 1 is split in three: a third of a hit for each.
    assert fitted.weights_ == pytest.approx([2 / 3, 2 / 3, 1 / 6])
    assert fitted.probabilities_ == pytest.approx(np.array([[0, 1 / 9, 8 / 9], [4 / 9, 1 / 9, 4 / 9]]))
    assert fitted.decided_.tolist() == [True, False]


def test_dawid_skene_is_loud_when_it_does_not_converge():
    data = pair_set("mtbench")
    with pytest.raises(NotConverged, match="after 2 steps"):
        DawidSkene(steps=2).fit(data.items, data.raters, data.verdicts, n_items=data.n_items)


def test_bradley_terry_equals_choix():
    rng = np.random.default_rng(5)
    first, second = rng.integers(0, 5, (2, 400))
    first, second = first[first != second], second[first != second]
    verdicts = np.where(rng.random(len(first)) < 0.35, -1, 1)
    games = [(j, i) if v > 0 else (i, j) for i, j, v in zip(first, second, verdicts)]
    ours = BradleyTerry(shrinkage=0).fit(first, second, verdicts, n=5)
    expected = choix.ilsr_pairwise(5, games)
    assert ours.scores_ == pytest.approx(expected - expected.mean(), abs=1e-4)


def test_bradley_terry_stays_finite_for_one_who_never_lost():
    fitted = BradleyTerry().fit(np.array([0, 1]), np.array([1, 2]), np.array([-1, -1]), n=4)
    assert np.isfinite(fitted.scores_).all()
    assert fitted.scores_[0] > fitted.scores_[1] > fitted.scores_[2]
    assert fitted.scores_[3] == pytest.approx(fitted.scores_[1], abs=1e-6)  # nobody met it: average


def test_fused_reads_judges_against_people():
    """A judge that is nearly always wrong counts against its word, though people spoke on half the items only."""
    rng = np.random.default_rng(3)
    truth = rng.choice([-1, 1], 400)
    said = np.where(rng.random(400) < 0.9, truth, -truth)[:200]  # one person on half the items
    good = np.where(rng.random(400) < 0.85, truth, -truth)
    bad = np.where(rng.random(400) < 0.05, truth, -truth)
    items = np.concatenate([np.arange(200), np.arange(400), np.arange(400)])
    raters = np.repeat([0, 1, 2], [200, 400, 400])
    fitted = Fused().fit(
        items, raters, np.concatenate([said, good, bad]), n_items=400, judges=np.array([False, True, True])
    )
    alone = truth[200:]
    assert (fitted.verdicts_[200:] == alone).mean() > (good[200:] == alone).mean() + 0.05
    assert fitted.confusions_[1, 0, 0] > 0.7 > 0.4 > fitted.confusions_[2, 0, 0]
    assert fitted.both_ == 200


def test_fused_learns_a_judges_slices_apart():
    rng = np.random.default_rng(4)
    truth = rng.choice([-1, 1], 1200)
    slices = np.repeat([0, 1], 600)
    people = [np.where(rng.random(1200) < 0.9, truth, -truth) for _ in range(2)]
    judge = np.where(rng.random(1200) < np.where(slices == 0, 0.95, 0.55), truth, -truth)
    items, raters = np.tile(np.arange(1200), 3), np.repeat([0, 1, 2], 1200)
    verdicts = np.concatenate([*people, judge])
    judges = np.array([False, False, True])
    known = np.concatenate(
        [np.tile(np.arange(1200) % 2 == 0, 2), np.ones(1200, bool)]  # people on every other item
    )
    fitted = Fused().fit(
        items[known], raters[known], verdicts[known], n_items=1200, judges=judges, slices=slices
    )
    sure = fitted.probabilities_.max(axis=1)
    unasked = np.arange(1200) % 2 == 1
    assert sure[unasked & (slices == 0)].mean() > 0.85 > 0.7 > sure[unasked & (slices == 1)].mean()


def test_fused_tempers_judges_that_err_alike():
    """Eight copies of one judge are worth little more than the one."""
    rng = np.random.default_rng(5)
    truth = rng.choice([-1, 1], 600)
    people = [np.where(rng.random(600) < 0.85, truth, -truth) for _ in range(2)]
    judge = np.where(rng.random(600) < 0.75, truth, -truth)
    copies = [np.where(rng.random(600) < 0.97, judge, -judge) for _ in range(8)]
    verdicts = np.concatenate([*people, *copies])
    items, raters = np.tile(np.arange(600), 10), np.repeat(np.arange(10), 600)
    fitted = Fused().fit(items, raters, verdicts, n_items=600, judges=np.arange(10) > 1)
    assert fitted.power_ <= 0.3
    one = np.isin(raters, [0, 1, 2])
    single = Fused().fit(items[one], raters[one], verdicts[one], n_items=600, judges=np.arange(3) > 1)
    assert single.power_ >= 0.8
    assert (fitted.verdicts_ == truth).mean() > 0.85


def test_fused_foretells_a_held_out_person_better_than_people_alone():
    """PandaLM: one label a pair is held out, one of the others is known on every second pair."""
    data = pair_set("pandalm")
    place = np.arange(len(data.items)) % 3  # three labels a pair, in order
    out, ask = place == 0, (place == 1) & (data.items % 2 == 0)
    said = np.stack([data.items[ask], data.raters[ask], data.verdicts[ask]], axis=1)
    heard = [
        np.stack([votes[:, 0], np.full(len(votes), 3 + number), votes[:, 2]], axis=1)
        for number, votes in enumerate(data.judges.values())
    ]
    losses = {}
    for name, labels in (("people", said), ("both", np.concatenate([said, *heard]))):
        fit = Fused().fit(*labels.T, n_items=data.n_items, judges=np.arange(5) > 2)
        losses[name] = -np.log(fit.predicted_[data.items[out], data.verdicts[out] + 1]).mean()
    assert losses["both"] < losses["people"] - 0.05


@pytest.mark.parametrize("right", [0.98, 0.9, 0.75])
def test_fused_learns_how_people_err_though_each_pair_has_one_label(right):
    """Three judges that err apart tell a careless person from a reliable one: together they outvote the first alone."""
    rng = np.random.default_rng(6)
    truth = rng.choice([-1, 1], 1500)
    said = [np.where(rng.random(1500) < each, truth, -truth) for each in (right, 0.92, 0.75, 0.7)]
    items, raters = np.tile(np.arange(1500), 4), np.repeat(np.arange(4), 1500)
    fitted = Fused().fit(items, raters, np.concatenate(said), n_items=1500, judges=np.arange(4) > 0)
    assert fitted.error_ == pytest.approx(1 - right, abs=0.03)
    assert (fitted.verdicts_ == truth).mean() > max(right, 0.9)


def test_fused_lets_a_reliable_person_stand_against_two_judges():
    """PandaLM: one label of each pair is known, another is held out."""
    data = pair_set("pandalm")
    place = np.arange(len(data.items)) % 3  # three labels a pair, in order
    said = np.stack([data.items, data.raters, data.verdicts], axis=1)[place == 1]
    heard = [
        np.stack([votes[:, 0], np.full(len(votes), 3 + number), votes[:, 2]], axis=1)
        for number, votes in enumerate(data.judges.values())
    ]
    fit = Fused().fit(*np.concatenate([said, *heard]).T, n_items=data.n_items, judges=np.arange(5) > 2)
    held = data.verdicts[place == 0]
    alone = (said[:, 2] == held).mean()
    assert (fit.verdicts_[data.items[place == 0]] == held).mean() >= alone - 0.005
    assert fit.error_ < 0.1
