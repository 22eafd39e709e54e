"""What judges' labels keep beside their verdicts, and what becomes of it as features."""

import doctest
from dataclasses import replace

import numpy as np
import pytest

from routing import evidence
from routing.evidence import reward_margin, votes_spread
from routing.features.base import block
from routing.loading import Said, fold_judges
from routing.policies.defer import Defer, signals
from routing.table import Known
from tests.unit.routing.making import make_table


@pytest.mark.parametrize(
    ("detail", "margin"),
    [
        ({"rewards": [2.0, 0.5], "scores": [0, 9]}, -1.5),
        ({"utilities": [1.0, 1.0]}, 0.0),
        ({"scores": [0.25, 0.75]}, 0.5),
        ({"rewards": [1.0]}, None),
        ({"log_odds": 2.0}, None),
        ({}, None),
    ],
)
def test_a_reward_margin_is_the_second_score_less_the_first(
    detail: dict[str, object], margin: float | None
) -> None:
    assert reward_margin(detail, 0, 1) == margin


@pytest.mark.parametrize(
    ("detail", "spread"),
    [
        ({"votes": 0.5}, 1.0),
        ({"votes": 1.0}, 0.0),
        ({"samples": {"A": 1, "B": 2, "tie": 1}}, 4 * 0.375 * 0.625),
        ({"samples": {"A": 0, "B": 0, "tie": 0}}, None),
        ({"jurors": {"one": -0.5, "two": 1.5, "three": 0.0}}, 1.0),
        ({"jurors": {"one": [1, 2], "two": [2, 1]}}, None),
        ({"spread": 0.3}, None),
    ],
)
def test_votes_are_split_most_in_halves(detail: dict[str, object], spread: float | None) -> None:
    assert votes_spread(detail) == (None if spread is None else pytest.approx(spread))


def test_the_examples_hold() -> None:
    assert doctest.testmod(evidence).failed == 0


def test_presentations_are_folded_and_a_silent_judge_stays_silent() -> None:
    both = [Said(1, 0.9, True, 2.0, 0.5), Said(-1, 0.4, True, None, 1.0)]
    found = fold_judges({(0, 0): both, (1, 1): [Said(0, None, False, None, None)]}, (2, 2))
    np.testing.assert_allclose(found.verdict, [[1, np.nan], [np.nan, 0]])  # the sign of the mean log-odds
    np.testing.assert_allclose(found.consistent, [[0, np.nan], [np.nan, 0]])
    np.testing.assert_allclose(found.margin, [[2.0, np.nan], [np.nan, np.nan]])
    np.testing.assert_allclose(found.spread, [[0.75, np.nan], [np.nan, np.nan]])


def test_margins_and_splits_are_features_where_judges_tell_them() -> None:
    plain, _ = make_table(prompts=4)
    assert {"reward", "reward_with", "votes_split", "margin"}.isdisjoint(
        block(plain, "judges").odd | block(plain, "judges").even
    )
    margin, spread = np.full((2, plain.size), np.nan), np.full((2, plain.size), np.nan)
    margin[1], spread[0, :3] = plain.ai + 0.5, 0.75
    probability = np.full((2, plain.size), 0.9)
    found = block(replace(plain, margin=margin, spread=spread, probability=probability, cache={}), "judges")
    scale = np.sqrt((margin[1] ** 2).mean())
    np.testing.assert_allclose(found.odd["reward"], margin[1] / scale)
    np.testing.assert_allclose(found.even["reward_with"], margin[1] / scale * plain.ai)
    np.testing.assert_allclose(found.even["votes_split"], [0.75] * 3 + [0.0] * (plain.size - 3))
    np.testing.assert_allclose(found.even["margin"], np.log(9))


def test_a_margin_against_the_judge_and_split_votes_are_reasons() -> None:
    plain, _ = make_table(prompts=4)
    margin, spread = np.full((2, plain.size), np.nan), np.full((2, plain.size), np.nan)
    margin[1], spread[0] = np.where(np.arange(plain.size) == 0, -3.0, 3.0) * plain.ai, 0.0
    spread[0, 1] = 1.0
    table = replace(plain, margin=margin, spread=spread, cache={})
    policy, nothing = Defer(), Known.nothing()
    ranking = policy.rank(table, nothing, cap=4, rng=np.random.default_rng(0))
    found = signals(table)
    assert found["a reward model points the other way"].tolist() == [bool(plain.ai[0])] + [False] * (
        plain.size - 1
    )
    assert np.flatnonzero(found["a judge's own votes were split"]).tolist() == [1]
    assert not signals(plain)["a judge's own votes were split"].any()
    said = [each.text for each in policy.explain(table, nothing, ranking, np.arange(plain.size))]
    assert all("chance that a person differs from the judge" in text for text in said)
