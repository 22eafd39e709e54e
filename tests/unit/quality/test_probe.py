"""The probe's head: finds planted weights, never scores what it learnt from, says how sure it is."""

import numpy as np
import pytest

from quality.logistic import sigmoid
from quality.probe import cross_fit, fit, newton


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
