"""How far two answers say the same, over the task types."""

import pytest

from annotate.alike import alike
from ledger.models import Aspect


@pytest.mark.parametrize(
    ("task_type", "known", "given", "share"),
    [
        ("pairwise", {"strength": 2}, {"strength": 1}, 1.0),  # how much is not compared
        ("pairwise", {"strength": 2}, {"strength": -1}, 0.0),
        ("pairwise", {"strength": 2}, {"strength": 0}, 0.0),
        ("pairwise", {"strength": 0}, {"strength": 0, "confidence": 1, "comment": "?"}, 1.0),
        ("pairwise", {"strength": 0}, {"both_bad": True}, 0.0),
        ("pairwise", {"both_bad": True}, {"both_bad": True}, 1.0),
        ("ranking", {"ranks": [1, 2, 3]}, {"ranks": [1, 3, 2]}, 2 / 3),
        ("ranking", {"ranks": [1, 2, 3]}, {"ranks": [3, 2, 1]}, 0.0),
        ("rating", {"ratings": {"0": 4, "1": 2}}, {"ratings": {"0": 5, "1": 4}}, 1.0),  # the same order
        ("rating", {"ratings": {"0": 4, "1": 2}}, {"ratings": {"0": 3, "1": 3}}, 0.0),
        ("rating", {"ratings": {"0": 4}}, {"ratings": {"0": 3}}, 1.0),  # alone: within a step
        ("rating", {"ratings": {"0": 4}}, {"ratings": {"0": 2}}, 0.0),
        ("rating", {"ratings": {"0": 4}}, {"ratings": {}}, 0.0),
        ("triplet", {"alike": [0, 2]}, {"alike": [0, 2], "reasons": ["tone"]}, 1.0),
        ("triplet", {"alike": [0, 2]}, {"alike": [0, 1]}, 0.0),
    ],
)
def test_alike(task_type, known, given, share):
    aspect = Aspect(name="a", task_type=task_type, settings={"step": 1})
    assert alike(aspect, known, given) == pytest.approx(share)
