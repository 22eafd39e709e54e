"""Which response a label says is best, and how many people the rule wants."""

from collections import Counter

import pytest

from annotate.overlap import Rule, best_of


@pytest.mark.parametrize(
    ("votes", "size", "best"),
    [
        ([(0, 1, -1)], 2, 0),
        ([(0, 1, 1)], 2, 1),
        ([(0, 1, 0)], 2, 2),
        ([(0, 1, 1), (0, 2, 1), (1, 2, -1)], 3, 1),
        ([(0, 1, 1), (0, 2, 1), (1, 2, 0)], 3, 3),
        ([(0, 1, -1), (0, 2, 1), (1, 2, 1)], 3, 2),
        ([], 2, None),
    ],
)
def test_best_of(votes, size, best):
    assert best_of(votes, size) == best


@pytest.mark.parametrize(
    ("answers", "voices", "wanted"),
    [
        ({}, 0, 2),  # the minimum
        ({0: 1}, 1, 2),
        ({0: 2}, 2, 2),  # 0.79: sure enough
        ({0: 1, 1: 1}, 2, 3),  # one more
        ({0: 2, 1: 1}, 3, 4),
        ({0: 2, 1: 2}, 4, 5),
        ({0: 3, 1: 2}, 5, 5),  # the maximum
        ({0: 4, 1: 3}, 7, 7),  # more than the maximum have spoken, as gold lets them: nobody else
        ({}, 3, 4),  # the deciding aspect was left out by all: never sure
    ],
)
def test_wanted(answers, voices, wanted):
    rule = Rule(least=2, most=5, stop=0.75, aspect=None)
    assert rule.wanted(Counter(answers), voices=voices, size=2) == wanted
