"""The chance that the leading answer really leads, against closed forms and simulation."""

from math import factorial, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from quality.leading import chance_of_lead


def closed_form(a: int, b: int, c: int) -> float:
    """P(X_a > X_b and X_a > X_c), X ~ Gamma of whole shapes: inclusion and exclusion of Poisson sums."""

    def term(*ks: int) -> float:
        total = a - 1 + sum(ks)
        ways = factorial(total) / (factorial(a - 1) * prod(factorial(k) for k in ks))
        return ways / (1 + len(ks)) ** (total + 1)

    single = sum(term(k) for k in range(b)) + sum(term(k) for k in range(c))
    return 1 - single + sum(term(k, m) for k in range(b) for m in range(c))


@given(st.lists(st.integers(0, 12), min_size=3, max_size=3))
def test_three_answers_against_the_closed_form(counts):
    low, middle, most = sorted(counts)
    assert chance_of_lead(counts) == pytest.approx(closed_form(most + 1, middle + 1, low + 1), abs=1e-9)


@given(st.integers(0, 30), st.integers(0, 30))
def test_two_answers_are_a_beta_posterior(a, b):
    expected = beta.sf(0.5, max(a, b) + 1, min(a, b) + 1)
    assert chance_of_lead([a, b]) == pytest.approx(expected, abs=1e-9)


def test_many_answers_against_simulation():
    counts = [4, 1, 0, 2, 1]
    shares = np.random.default_rng(7).dirichlet(np.array(counts) + 1, 400_000)
    assert chance_of_lead(counts) == pytest.approx((shares.argmax(axis=1) == 0).mean(), abs=0.003)


def test_nobody_asked_is_as_unsure_as_can_be_and_one_voice_more_makes_surer():
    assert chance_of_lead([0, 0, 0]) == pytest.approx(1 / 3)
    unanimous = [chance_of_lead([n, 0, 0]) for n in range(8)]
    assert unanimous == sorted(unanimous)
    assert [round(chance, 2) for chance in unanimous[1:6]] == [0.61, 0.79, 0.89, 0.94, 0.97]
