"""Position, length and layout biases that were planted are found; skill leaves the rater's own label out."""

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression

from quality.bias import (
    doublings,
    flip_rate,
    follows_length,
    length_slope,
    position_bias_by_rater,
    style_counts,
    style_slopes,
)
from quality.intervals import clopper_pearson, wilson
from quality.logistic import logistic, sigmoid
from quality.ppi import ppi_mean
from quality.skill import skills
from quality.verdicts import count_table, first_presentation, fold


def test_position_bias_counts_decided_verdicts_of_known_order_only():
    verdicts, shown = np.array([-1, 1, 1, 0, -1]), np.array([0, 0, 1, 1, -1])
    by_rater = position_bias_by_rater(np.array([0, 0, 1, 1, 1]), verdicts, shown, n_raters=3)
    assert by_rater.successes.tolist() == [1, 1, 0]
    assert by_rater.n.tolist() == [2, 1, 0]


def test_a_judge_that_always_says_a_flips_always():
    items = np.repeat(np.arange(50), 2)
    orders = np.tile([0, 1], 50)
    folded = fold(items, np.zeros(100, int), np.where(orders == 0, -1, 1), orders)
    assert flip_rate(folded).value == 1.0
    assert set(folded.verdicts) == {0}


@pytest.mark.parametrize("truth", [0.0, 0.7, -0.4])
def test_a_planted_length_slope_is_inside_its_interval(truth):
    rng = np.random.default_rng(17)
    first, second = rng.integers(50, 2000, (2, 3000))
    verdicts = np.where(rng.random(3000) < sigmoid(truth * doublings(first, second)), 1, -1)
    slope = length_slope(verdicts, first, second, items=np.arange(3000))
    assert slope.low < truth < slope.high
    assert slope.high - slope.low < 0.2


def test_the_length_judge_has_a_finite_slope():
    rng = np.random.default_rng(8)
    first, second = rng.integers(50, 2000, (2, 300))
    slope = length_slope(np.sign(second - first), first, second, items=np.arange(300))
    assert slope.value > 5
    assert np.isfinite(slope.high)
    assert follows_length(np.sign(second - first), first, second)
    assert not follows_length(rng.choice([-1, 1], 300), first, second)
    assert not follows_length(np.zeros(300), first, second)


def test_slopes_are_each_given_the_others():
    rng = np.random.default_rng(9)
    lists = rng.normal(0, 1, 4000)
    length = lists + rng.normal(0, 1, 4000)
    verdicts = np.where(rng.random(4000) < sigmoid(lists), 1, -1)
    by_lists, by_length = style_slopes(verdicts, np.stack([lists, length], axis=1), items=np.arange(4000))
    assert by_lists.low < 1 < by_lists.high
    assert by_length.low < 0 < by_length.high


def test_logistic_equals_scikit_learn():
    rng = np.random.default_rng(10)
    x = rng.normal(0, 1, (500, 3))
    y = (rng.random(500) < sigmoid(x @ [1, -0.5, 0])).astype(float)
    ours = logistic(x, y, prior_scale=2.0).coefficients
    reference = LogisticRegression(C=4.0, fit_intercept=False, tol=1e-10).fit(x, y)
    assert ours == pytest.approx(reference.coef_[0], abs=1e-5)


def test_copies_of_a_label_in_one_cluster_do_not_narrow_the_interval():
    rng = np.random.default_rng(11)
    x = rng.normal(0, 1, (200, 1))
    y = (rng.random(200) < sigmoid(x[:, 0])).astype(float)
    once = logistic(x, y, prior_scale=1e6).estimate(0)
    copied = logistic(
        np.repeat(x, 5, axis=0), np.repeat(y, 5), clusters=np.repeat(np.arange(200), 5), prior_scale=1e6
    )
    copied = copied.estimate(0)
    assert copied.high - copied.low == pytest.approx(once.high - once.low, rel=1e-6)


def test_layout_is_counted():
    assert style_counts("# Title\n\n- one\n- two\n\n1. three\n\n**bold** text") == [3, 1, 1]


def test_skill_is_judged_by_the_others_only():
    items, raters = np.repeat(np.arange(40), 3), np.tile(np.arange(3), 40)
    verdicts = np.where(raters == 2, -1, 1)
    found = skills(items, raters, verdicts, table=count_table(items, verdicts, n_items=40), n_raters=3)
    assert found.majority.tolist() == pytest.approx([np.nan, np.nan, 0.0], nan_ok=True)
    assert found.each.tolist() == [0.5, 0.5, 0.0]
    assert found.high[2] < 0.1


def test_only_the_first_answer_of_a_person_counts():
    items, raters, repeats = np.array([0, 0, 1]), np.array([4, 4, 4]), np.array([1, 0, 0])
    assert first_presentation(items, raters, repeats).tolist() == [1, 2]


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (480, 500)])
def test_intervals_of_shares_equal_scipy(k, n):
    for ours, method in ((wilson, "wilson"), (clopper_pearson, "exact")):
        expected = binomtest(k, n).proportion_ci(method=method)
        assert [float(v) for v in ours(k, n)] == pytest.approx([expected.low, expected.high], abs=1e-9)


def test_prediction_powered_inference_covers_and_is_narrower_than_the_audit_alone():
    rng, covered, narrower = np.random.default_rng(12), 0, 0
    for _ in range(300):
        quality = rng.random(2000)
        values = (rng.random(2000) < quality).astype(float)  # mean 0.5
        audited = np.zeros(2000, bool)
        audited[rng.choice(2000, 200, replace=False)] = True
        powered = ppi_mean(quality, values, audited)
        alone = ppi_mean(quality, values, audited, power=0.0)
        covered += powered.low <= 0.5 <= powered.high
        narrower += powered.high - powered.low < alone.high - alone.low
    assert 275 <= covered <= 297
    assert narrower > 290


def test_unequal_chances_of_an_audit_are_weighed():
    rng, values_found = np.random.default_rng(13), []
    for _ in range(200):
        values = (rng.random(3000) < 0.3).astype(float)
        chance = np.where(values == 1, 0.2, 0.05)  # the audit looks where the value is likely 1
        audited = rng.random(3000) < chance
        values_found.append(ppi_mean(np.zeros(3000), values, audited, propensities=chance).value)
    assert np.mean(values_found) == pytest.approx(0.3, abs=0.01)
