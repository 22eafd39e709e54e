"""The probe's head: finds planted weights, never scores what it learnt from, says how sure it is."""

from time import process_time

import numpy as np
import pytest

from quality.logistic import sigmoid
from quality.probe import cross_fit, fit, newton, principal


def planted(n=600, d=12, seed=1):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=d) * 2
    rows = rng.normal(size=(n, d))
    targets = (rng.random(n) < sigmoid(rows @ weights)).astype(float)
    return rows, targets, weights, rng.integers(0, 60, n)


def test_newton_meets_the_stationarity_of_the_penalised_likelihood():
    rows, targets, _, _ = planted()
    weights, _ = newton(rows, targets, 0.7)
    gradient = rows.T @ (targets - sigmoid(rows @ weights)) - 0.7 * weights
    assert np.abs(gradient).max() < 1e-4


def test_the_head_recovers_planted_weights():
    rows, targets, weights, groups = planted(n=4000)
    head = fit(rows, targets, groups=groups, widths=(8, 4))
    found = head.basis @ head.weights
    assert np.corrcoef(found, weights)[0, 1] > 0.99
    assert head.log_odds(rows) == pytest.approx(
        -head.log_odds(-rows)
    )  # swapping the responses flips the sign


def test_cross_fitting_scores_noise_at_chance_though_a_head_can_learn_it_by_heart():
    rng = np.random.default_rng(3)
    rows, targets = rng.normal(size=(200, 150)), rng.integers(0, 2, 200).astype(float)
    groups = np.arange(200) // 2
    by_heart = fit(rows, targets, groups=groups, widths=(150, 0)).log_odds(rows)
    honest = cross_fit(rows, targets, groups=groups, widths=(150, 0)).log_odds
    assert np.mean((by_heart > 0) == (targets > 0.5)) > 0.7
    assert 0.35 < np.mean((honest > 0) == (targets > 0.5)) < 0.62


def test_no_row_is_scored_by_a_head_that_saw_its_prompt():
    rows, targets, _, groups = planted(n=300)
    whole = cross_fit(rows, targets, groups=groups, widths=(8, 4))
    for group in (0, 7):
        changed = targets.copy()
        changed[groups == group] = 1 - changed[groups == group]
        other = cross_fit(rows, changed, groups=groups, widths=(8, 4))
        assert other.log_odds[groups == group] == pytest.approx(whole.log_odds[groups == group])


def test_unlabelled_rows_are_scored_too_and_far_ones_are_less_sure():
    rows, targets, _, groups = planted(n=300)
    targets[::3] = np.nan
    found = cross_fit(rows, targets, groups=groups, widths=(8, 4))
    assert not np.isnan(found.log_odds).any()
    assert ((found.probability > 0) & (found.probability < 1)).all()
    head = found.heads[0]
    assert head.spread(rows[:5] * 10) == pytest.approx(head.spread(rows[:5]) * 10)


def lengths_and_noise(n=500, seed=4, says=0.0):
    """Length decides by odds of 2 a unit; 40 representation columns of which the first adds `says` a unit."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, 44))
    odds = 0.7 * rows[:, 40] + says * rows[:, 0]
    return rows, (rng.random(n) < sigmoid(odds)).astype(float), rng.integers(0, 80, n)


def right(scores, targets):
    return float(np.mean((scores > 0) == (targets > 0.5)))


def test_where_representations_say_nothing_the_head_is_the_longer_wins():
    rows, targets, groups = lengths_and_noise()
    found = cross_fit(rows, targets, groups=groups, widths=(20, 20, 4))
    assert right(found.log_odds, targets) >= right(rows[:, 40], targets) - 0.01
    assert sum(np.isinf(head.ridge) for head in found.heads) >= 4
    alone = found.heads[[np.isinf(head.ridge) for head in found.heads].index(True)]
    assert (alone.basis[:40] == 0).all()


def test_representations_that_say_something_are_let_in_and_beat_the_longer():
    rows, targets, groups = lengths_and_noise(says=2.0)
    found = cross_fit(rows, targets, groups=groups, widths=(20, 20, 4))
    assert not any(np.isinf(head.ridge) for head in found.heads)
    assert right(found.log_odds, targets) > right(rows[:, 40], targets) + 0.1


def test_where_the_shorter_wins_the_head_says_so():
    rows, targets, groups = lengths_and_noise()
    found = cross_fit(rows, 1 - targets, groups=groups, widths=(20, 20, 4))
    assert right(found.log_odds, 1 - targets) > 0.6


def test_the_first_directions_are_the_singular_vectors_either_way():
    rng = np.random.default_rng(2)
    for shape in ((30, 80), (80, 30)):
        rows = rng.normal(size=shape) * np.linspace(3, 0.5, shape[1])
        kept = principal(rows)
        wanted = np.linalg.svd(rows, full_matrices=False)[2][: kept.shape[1]].T
        assert kept.shape[1] == 30
        assert np.abs(np.sum(kept * wanted, axis=0)) == pytest.approx(1, abs=1e-6)


def test_ten_proxies_take_less_than_a_25th_of_a_minute():
    rows, targets, groups = lengths_and_noise(n=300)
    began = process_time()
    for seed in range(10):
        fit(rows, targets, groups=groups, widths=(20, 20, 4), seed=seed)
    assert process_time() - began < 60 / 25
