"""A judge's presentations joined: a pure position bias cancels, bare verdicts that disagree tie."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.voices import joint_probability, joint_verdict


@given(preference=st.floats(-4, 4), bias=st.floats(-4, 4))
def test_a_pure_position_bias_cancels(preference, bias):
    both = [1 / (1 + math.exp(-(preference + side * bias))) for side in (1, -1)]
    verdicts = [(p > 0.5) - (p < 0.5) for p in both]
    if abs(preference) > 1e-6:
        assert joint_verdict(verdicts, both) == (1 if preference > 0 else -1)
    assert joint_probability(both) == pytest.approx(1 / (1 + math.exp(-preference)))


def test_bare_verdicts_that_disagree_are_a_tie():
    assert joint_verdict([1, -1], [None, None]) == 0
    assert joint_verdict([1, -1], [0.9, None]) == 0
    assert joint_verdict([1, 1], [None, None]) == 1
    assert joint_verdict([-1], [0.9]) == -1
