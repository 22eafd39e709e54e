"""Each task type: what it accepts, how it stores it, and how it is read as votes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.task_types import TASK_TYPES
from ledger.task_types.base import InvalidAnswer, InvalidSettings
from ledger.task_types.pairwise import PAIRWISE
from ledger.task_types.ranking import RANKING
from ledger.task_types.rating import RATING
from ledger.task_types.spans import STEPS


@pytest.mark.parametrize("name", list(TASK_TYPES))
def test_every_entry_has_what_the_protocol_asks(name: str) -> None:
    task = TASK_TYPES.load(name)
    assert task.name == name
    assert task.title
    assert isinstance(task.settings({}), dict)
    assert task.settings(task.settings({})) == task.settings({})
    with pytest.raises(InvalidAnswer):
        task.clean("not an object", settings=task.settings({}), size=2)
    with pytest.raises(InvalidSettings):
        task.settings({"no such setting": 1})


@given(st.integers(-3, 3))
def test_pairwise_keeps_the_strength_and_votes_its_sign(strength: int) -> None:
    settings = PAIRWISE.settings({"steps": 3})
    value = PAIRWISE.clean({"strength": strength}, settings=settings, size=2)
    assert value == {"strength": strength}
    assert PAIRWISE.votes(value) == [(0, 1, (strength > 0) - (strength < 0))]


def test_both_bad_is_no_tie() -> None:
    settings = PAIRWISE.settings({})
    value = PAIRWISE.clean({"both_bad": True}, settings=settings, size=2)
    assert value == {"both_bad": True}
    assert PAIRWISE.votes(value) == [(0, 1, 0)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"strength": 3}, "strength must be a whole number in -2…2, not 3."),
        ({"strength": True}, "strength must be a whole number in -2…2, not True."),
        ({"strength": "1"}, "strength must be a whole number in -2…2, not '1'."),
        ({}, "strength must be a whole number in -2…2, not None."),
        ({"strength": 1, "both_bad": True}, "both_bad must be true and stand without a strength."),
        ({"strength": 1, "confidence": 4}, "confidence must be 1, 2 or 3, not 4."),
        ({"strength": 1, "probability": 1.5}, "probability must be in 0…1, not 1.5."),
    ],
)
def test_pairwise_refuses(value: dict, said: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        PAIRWISE.clean(value, settings=PAIRWISE.settings({}), size=2)
    assert refused.value.detail == said


def test_a_tie_can_be_withheld() -> None:
    with pytest.raises(InvalidAnswer, match="A tie"):
        PAIRWISE.clean({"strength": 0}, settings=PAIRWISE.settings({"tie": False}), size=2)


@given(st.lists(st.integers(1, 5), min_size=5, max_size=5))
def test_ranks_are_stored_dense_and_order_the_same_pairs(ranks: list[int]) -> None:
    value = RANKING.clean({"ranks": ranks}, settings=RANKING.settings({}), size=5)
    assert sorted(set(value["ranks"])) == list(range(1, len(set(ranks)) + 1))
    for i, j, verdict in RANKING.votes(value):
        assert verdict == (ranks[i] > ranks[j]) - (ranks[i] < ranks[j])


@pytest.mark.parametrize("ranks", [None, [1, 2], [0, 1, 2], [1, 2, 4], [1, 2, True], "123"])
def test_ranking_refuses_what_is_no_ranking_of_three(ranks: object) -> None:
    with pytest.raises(InvalidAnswer, match="ranks must be 3 whole numbers"):
        RANKING.clean({"ranks": ranks}, settings=RANKING.settings({}), size=3)


def test_rating_votes_for_the_higher() -> None:
    value = RATING.clean({"ratings": {"1": 2, "0": 4}}, settings=RATING.settings({}), size=2)
    assert list(value["ratings"]) == ["0", "1"]
    assert RATING.votes(value) == [(0, 1, -1)]


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ({"0": 1}, "missing for responses"),
        ({"0": 1, "2": 1}, "names responses"),
        ({"0": 1, "1": 9}, "must be a number in 1…5"),
        ({"0": 1, "1": 2.5}, "in steps of 1"),
        ({"0": 1, "1": None}, "must be a number"),
        ({}, "must map"),
    ],
)
def test_rating_refuses(ratings: dict, said: str) -> None:
    with pytest.raises(InvalidAnswer, match=said):
        RATING.clean({"ratings": ratings}, settings=RATING.settings({}), size=2)


STEP = {"response": 0, "message": 2, "call": 0, "label": "wrong"}


def test_steps_of_a_trajectory_are_kept_in_its_order_with_the_first_error() -> None:
    later, text = {"response": 0, "message": 4, "label": "wrong"}, {"response": 1, "start": 7, "end": 9}
    marks = [later, {**text, "label": "wrong"}, STEP, {"response": 0, "message": 2, "label": "right"}]
    value = STEPS.clean({"marks": marks}, settings=STEPS.settings({}), size=2)
    assert value == {"marks": [marks[3], STEP, later, marks[1]], "first_errors": {"0": 2, "1": 7}}
    assert STEPS.votes(value) == [] and STEPS.clean(value, settings=STEPS.settings({}), size=2) == value


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ([{**STEP, "message": -1}], "A step needs the index of a message"),
        ([{**STEP, "call": "0"}], "A step needs the index of a message"),
        ([{**STEP, "start": 0}], "An answer may not have 'start'"),
        ([{**STEP, "response": 2}], "A mark's response must be in 0…1, not 2."),
        ([{**STEP, "label": "odd"}], "A mark's label must be one of"),
        ([STEP, {**STEP, "label": "right"}], "A place carries two labels; each takes one."),
    ],
)
def test_steps_refuse(marks: list, said: str) -> None:
    with pytest.raises(InvalidAnswer) as refused:
        STEPS.clean({"marks": marks}, settings=STEPS.settings({}), size=2)
    assert refused.value.detail.startswith(said)
