"""Calibration against scikit-learn, and on planted probabilities."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as reference_log_loss

from quality.calibration import (
    CALIBRATORS,
    brier,
    cross_fitted,
    ece,
    ece_debiased,
    fold_of,
    log_loss,
    pooled,
    reliability,
    slope_and_intercept,
)
from quality.logistic import logit, sigmoid


def planted(*, n: int, factor: float = 1.0, shift: float = 0.0, seed: int = 0):
    """Stated probabilities whose true log-odds are factor · stated + shift, and outcomes."""
    rng = np.random.default_rng(seed)
    stated = sigmoid(rng.normal(0, 2, n))
    y = (rng.random(n) < sigmoid(factor * logit(stated) + shift)).astype(float)
    return stated, y


def test_brier_and_log_loss_equal_scikit_learn():
    p, y = planted(n=500)
    assert brier(p, y) == pytest.approx(brier_score_loss(y, p))
    assert log_loss(p, y) == pytest.approx(reference_log_loss(y, np.clip(p, 1e-6, 1 - 1e-6)), abs=1e-6)


def test_pooled_violators_equal_scikit_learn():
    rng = np.random.default_rng(1)
    x, y = np.sort(rng.random(300)), rng.integers(0, 2, 300).astype(float)
    expected = IsotonicRegression().fit(x, y).predict(x)
    _, levels = pooled(np.ones(300), x, y)
    assert levels == pytest.approx(np.unique(expected))


@pytest.mark.parametrize("name", CALIBRATORS.names())
def test_every_calibrator_repairs_planted_overconfidence(name):
    p, y = planted(n=6000, factor=0.4)
    assert ece_debiased(p, y) > 0.1
    repaired = CALIBRATORS.load(name)().fit(p[:3000], y[:3000]).predict(p[3000:])
    assert ece_debiased(repaired, y[3000:]) < 0.05
    assert brier(repaired, y[3000:]) < brier(p[3000:], y[3000:])


@pytest.mark.parametrize("name", CALIBRATORS.names())
def test_every_calibrator_is_monotone_and_never_certain(name):
    p, y = planted(n=400)
    grid = np.linspace(0.01, 0.99, 99)
    mapped = CALIBRATORS.load(name)().fit(p, y).predict(grid)
    assert (np.diff(mapped) >= -1e-12).all()
    assert mapped.min() > 0 and mapped.max() < 1


def test_perfect_probabilities_show_an_ece_until_it_is_debiased():
    plain, debiased = zip(
        *((ece(p, y), ece_debiased(p, y)) for p, y in (planted(n=200, seed=s) for s in range(40)))
    )
    assert 0.05 < np.mean(plain) < 0.09
    assert np.mean(debiased) < 0.6 * np.mean(plain)


def test_the_calibration_slope_is_inside_its_interval():
    p, y = planted(n=4000, factor=0.5, shift=0.3)
    slope, intercept = slope_and_intercept(p, y)
    assert slope.low < 0.5 < slope.high < 1
    assert intercept.low < 0.3 < intercept.high


def test_cross_fitting_keeps_a_prompt_together():
    groups = np.repeat(np.arange(50), 4)
    folds = fold_of(groups, folds=5, seed=0)
    assert all(len(set(folds[groups == g])) == 1 for g in range(50))
    assert np.bincount(folds).tolist() == [40] * 5
    p, y = planted(n=200)
    assert cross_fitted("platt", p, y, groups=groups).shape == (200,)


def test_reliability_bins_hold_every_outcome_once():
    p, y = planted(n=103)
    table = reliability(p, y, bins=10)
    assert table.n.sum() == 103
    assert (table.low <= table.observed).all() and (table.observed <= table.high).all()
    assert (np.diff(table.predicted) > 0).all()
