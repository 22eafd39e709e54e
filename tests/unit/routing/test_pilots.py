import doctest

import numpy as np
import pytest

import routing.pilots
from routing.pilots import pilot_size, precision_of, spread_order


def test_the_size_is_cochrans() -> None:
    assert doctest.testmod(routing.pilots).failed == 0
    assert pilot_size(10**9) == 385  # 1.96² / (4 · 0.05²)
    assert pilot_size(10**9, rate=0.7) == 323
    assert pilot_size(20) == 20 and pilot_size(0) == 0 and pilot_size(1) == 1


@pytest.mark.parametrize("population", [300, 5_000])
def test_the_recommended_pilot_gives_the_wanted_precision(population: int) -> None:
    for wanted in (0.03, 0.05, 0.1):
        size = pilot_size(population, precision=wanted)
        assert precision_of(size, population) <= wanted + 1e-9 < precision_of(size - 2, population)
    assert precision_of(0, population) == 1.0 and precision_of(population, population) == 0.0


def test_a_pilot_covers_judges_agreement_at_the_wanted_precision() -> None:
    """Two thousand draws of the recommended size from a project of known agreement."""
    rng = np.random.default_rng(0)
    truth = rng.random(2000) < 0.7
    size = pilot_size(2000, precision=0.05)
    off = [abs(truth[rng.permutation(2000)[:size]].mean() - truth.mean()) for _ in range(2000)]
    assert np.mean(np.array(off) <= 0.05) >= 0.95


def test_every_beginning_takes_proportionally_from_the_strata() -> None:
    stratum = np.repeat([0, 1, 2], [500, 300, 200])
    order = np.argsort(spread_order(stratum, open_=np.ones(1000, dtype=bool), rng=np.random.default_rng(1)))
    for size in (50, 100, 400):
        share = np.bincount(stratum[order[:size]], minlength=3) / size
        np.testing.assert_allclose(share, [0.5, 0.3, 0.2], atol=3 / size)


def test_everybody_has_the_same_chance() -> None:
    stratum = np.repeat([0, 1], [30, 10])
    drawn = np.zeros(40)
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        drawn[np.argsort(spread_order(stratum, open_=np.ones(40, dtype=bool), rng=rng))[:8]] += 1
    assert drawn.min() > 2000 * 0.2 * 0.8 and drawn.max() < 2000 * 0.2 * 1.2
