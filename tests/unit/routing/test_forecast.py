from dataclasses import replace

import numpy as np
import pytest

from routing.forecast import STRETCH, forecast, look, summary, without
from routing.policies.defer import Defer
from routing.policies.uncertainty import Uncertainty
from routing.replay import spend, world
from routing.table import Known, Reveal
from tests.unit.routing.making import make_table


def known_on(instances: np.ndarray, verdicts: np.ndarray) -> Known:
    return Known(instance=instances, rater=np.zeros(len(instances), dtype=int), verdict=verdicts)


def test_where_nobody_is_asked_the_forecast_is_the_share_that_people_agreed_with() -> None:
    """Sixty of seventy-two pairs labelled, the judge right in forty-five: Beta(1.4 + 45, 0.6 + 15) for the rest."""
    table, _ = make_table(prompts=12)
    rows = np.random.default_rng(0).permutation(table.size)[:60]
    said = table.ai[rows].copy()
    said[:15] = np.where(said[:15] == 0, 1, -said[:15])
    (found,) = forecast(table, known_on(rows, said), policy="all_ai", budgets=[0.0], seed=1)
    share = 60 / table.size
    assert found["mean"] == pytest.approx(share * 0.7 + (1 - share) * 46.4 / 62, abs=0.01)
    assert found["low"] < found["mean"] < found["high"]


def test_a_pair_is_spared_where_fewer_gain_less_than_it_than_may_be_asked() -> None:
    """Uncertainty over ten pairs whose probabilities are known: two more may be asked, the two least sure."""
    table, _ = make_table(prompts=1, models=5, judges=1)
    table = replace(table, probability=np.linspace(0.55, 1.0, 10)[None, :], cache={})
    pilot = np.array([0, 5])
    known = known_on(np.array([0]), np.array([1]))
    spared, asked = look(
        table, Uncertainty(), known, np.array([5, 0]), pilot, [2, 4, 10], rng=np.random.default_rng(0)
    )
    assert spared.tolist() == [[True, True], [True, False], [False, False]]
    assert asked.tolist() == [0.2, 0.4, 1.0]


def test_labels_held_out_are_gone() -> None:
    rest = without(known_on(np.array([3, 4, 5]), np.array([1, 0, -1])), np.array([4]))
    assert rest.instance.tolist() == [3, 5] and rest.verdict.tolist() == [1, -1]


def test_an_interval_is_widened_about_its_mean_and_stays_a_share() -> None:
    draws = np.linspace(0.4, 0.6, 1001)
    found = summary(draws)
    assert found["mean"] == pytest.approx(0.5)
    assert found["high"] - found["low"] == pytest.approx(STRETCH * 0.95 * 0.2)
    assert summary(np.linspace(0.9, 1.0, 101))["high"] == 1.0


@pytest.mark.slow
def test_the_forecast_of_defer_covers_what_comes() -> None:
    """Forty planted projects: a pilot of forty pairs, then a third of all is asked. At most four may be missed."""
    covered = 0
    for seed in range(40):
        table, people = make_table(prompts=24, noise=1.2, seed=seed)
        one, two = world(people, table.size, seed=seed), world(people, table.size, seed=1000 + seed)
        rng = np.random.default_rng(seed)
        reveal = Reveal(lambda i, one=one: (0, int(one.label[i])), cap=40)
        reveal.ask(rng.permutation(table.size)[:40])
        (found,) = forecast(table, reveal.known(), policy="defer", budgets=[1 / 3], seed=seed)
        reveal.raise_cap(table.size // 3)
        state = spend(Defer(), table, reveal, rng=rng)
        outcome = float((state.settled == two.label)[two.rater != one.rater].mean())
        covered += found["low"] <= outcome <= found["high"]
    assert covered >= 36
