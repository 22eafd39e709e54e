from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from routing.pacing import LEAST_PRICE, LOOK, Pace, allowed_share, ascend, clearing_price

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_what_is_due_grows_evenly_from_what_was_sunk() -> None:
    pace = Pace(START, days=10, cap=120, sunk=20)
    assert [pace.due(START + timedelta(days=days)) for days in (-1, 0, 5, 10, 20)] == [20, 20, 70, 120, 120]
    assert Pace.of(pace.kept(), cap=120) == pace


def test_the_price_clears_the_room_that_there_is() -> None:
    values = np.array([0.4, 0.1, 0.3, 0.2])
    assert [int((values >= clearing_price(values, room)).sum()) for room in range(6)] == [0, 1, 2, 3, 4, 4]
    assert clearing_price(values, 2) == 0.3 and clearing_price(values, 4) == 0.0


def test_the_price_rises_with_what_is_wanted_and_falls_where_nothing_is() -> None:
    assert ascend(0.1, wanted=True, allowed=0.2) == pytest.approx(0.1 * np.exp(0.05 * 0.8))
    assert ascend(0.1, wanted=False, allowed=0.2) == pytest.approx(0.1 * np.exp(-0.05 * 0.2))
    assert ascend(0.0, wanted=True, allowed=0.5) > LEAST_PRICE > ascend(0.0, wanted=False, allowed=0.5)
    assert allowed_share(0.2, spent=100, due=100) == 0.2
    assert allowed_share(0.2, spent=90, due=100) == pytest.approx(0.25)
    assert allowed_share(0.2, spent=200, due=100) == 0.0


def test_a_paced_budget_is_spent_on_schedule_by_people_who_take_all_that_is_open() -> None:
    """A look an hour for ten days: never ahead by more than the stock, never behind by more than a look."""
    pace, spent = Pace(START, days=10, cap=600), 0
    for hour in range(1, 241):
        at = START + timedelta(hours=hour)
        spent += pace.room(at - LOOK, spent=spent)
        assert pace.due(at) - 1 <= spent <= pace.due(at) + 0.05 * 600 + 1
    assert spent == 600


@pytest.mark.parametrize("begin", [0.2, 1.0, 3.0])
def test_a_stream_is_asked_in_the_budgets_share_whatever_price_it_begins_with(begin: float) -> None:
    rng = np.random.default_rng(0)
    share, seen = 0.2, 300
    price, spent = begin * clearing_price(rng.exponential(size=seen), int(share * seen)), int(share * seen)
    taken = []
    for value in rng.exponential(size=4000):
        seen += 1
        wanted = bool(value >= price)
        asked = wanted and spent + 1 <= share * seen + 20
        spent += asked
        taken += [value] * asked
        allowed = allowed_share(share, spent=spent, due=share * seen)
        price = ascend(price, wanted=wanted, allowed=allowed)
    assert spent / seen == pytest.approx(share, abs=0.01)
    assert np.mean(taken[len(taken) // 2 :]) > 2.3  # of the best fifth 1 + ln 5 = 2.6, of a lot 1.0
