from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.policies import POLICIES
from routing.policies.base import Ranking, choose, verdicts_of
from routing.policies.oracle import Oracle
from routing.replay import policy_rng, run, world
from routing.table import CapPassed, Known, Reveal, Unrevealed
from tests.unit.routing.making import make_table

NAMES = POLICIES.names()


def test_nothing_that_is_not_paid_for_can_be_read() -> None:
    reveal = Reveal(lambda i: (0, 1), cap=2)
    reveal.ask([3])
    assert reveal.label(3) == (0, 1)
    with pytest.raises(Unrevealed, match="instance 4 has not been paid for"):
        reveal.label(4)


@given(asks=st.lists(st.lists(st.integers(0, 30), max_size=8), max_size=8), cap=st.integers(0, 20))
def test_spending_never_passes_the_cap(asks: list[list[int]], cap: int) -> None:
    reveal = Reveal(lambda i: (0, 0), cap=cap)
    for wanted in asks:
        before = reveal.spent
        try:
            reveal.ask(wanted)
        except CapPassed:
            assert reveal.spent == before
        assert reveal.spent <= cap


@pytest.mark.parametrize("name", NAMES)
def test_no_policy_sees_an_unrevealed_label(name: str) -> None:
    """The tripwire: outside of what is bought, every label is a different one in two worlds that must not differ."""
    table, people = make_table()
    drawn = world(people, table.size, seed=0)
    found = run(name, table, drawn, seed=0, budgets=[0.0, 0.2, 0.4])
    if name == "oracle":
        return
    for state in found.states:
        hidden = ~found.states[-1].routed
        poisoned = type(drawn)(
            label=np.where(hidden, -drawn.label, drawn.label), rater=drawn.rater, gold=-drawn.gold
        )
        again = run(name, table, poisoned, seed=0, budgets=[0.0, 0.2, 0.4])
        np.testing.assert_array_equal(again.states[-1].routed, found.states[-1].routed)
        np.testing.assert_array_equal(again.states[-1].settled, found.states[-1].settled)
        assert state.routed.sum() <= 0.4 * table.size


@pytest.mark.parametrize("name", NAMES)
def test_decisions_are_reproducible_from_the_seed(name: str) -> None:
    table, people = make_table()
    drawn = world(people, table.size, seed=3)
    one = run(name, table, drawn, seed=3, budgets=[0.1, 0.5])
    other = run(name, table, drawn, seed=3, budgets=[0.1, 0.5])
    for a, b in zip(one.states, other.states, strict=True):
        np.testing.assert_array_equal(a.routed, b.routed)
        np.testing.assert_array_equal(a.settled, b.settled)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=5, deadline=None)
@given(budgets=st.lists(st.floats(0, 1), min_size=1, max_size=3, unique=True).map(sorted))
def test_no_policy_spends_more_than_its_budget(name: str, budgets: list[float]) -> None:
    table, people = make_table(prompts=6)
    found = run(name, table, world(people, table.size, seed=1), seed=1, budgets=budgets)
    for budget, state in zip(budgets, found.states, strict=True):
        assert state.routed.sum() <= budget * table.size + 1e-9


@pytest.mark.parametrize("verdict", [-1, 0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_one_class_only_is_routed_all_the_same(name: str, verdict: int) -> None:
    """All ties, or one side only, of both judges and people: no crash, and every verdict a verdict."""
    table, people = make_table(prompts=6)
    table.verdict[:] = verdict
    people.verdict[:] = verdict
    found = run(name, table, world(people, table.size, seed=0), seed=0, budgets=[0.0, 0.5, 1.0])
    assert set(found.states[-1].settled) == {verdict}


@pytest.mark.parametrize("name", NAMES)
def test_constant_features_are_routed_all_the_same(name: str) -> None:
    """Every text and every prompt the same: nothing tells pairs apart but the judges."""
    table, people = make_table(prompts=8)
    flat = replace(
        table, prompts=("same",) * len(table.prompts), responses=("same",) * len(table.responses), cache={}
    )
    found = run(name, flat, world(people, flat.size, seed=0), seed=0, budgets=[0.0, 0.3, 1.0])
    for budget, state in zip([0.0, 0.3, 1.0], found.states, strict=True):
        assert state.routed.sum() <= budget * flat.size
        assert set(state.settled) <= {-1, 0, 1}


def test_a_budget_below_the_audit_buys_the_beginning_of_the_audit_and_promises_nothing() -> None:
    table, people = make_table(prompts=8)
    state = run("guarantee", table, world(people, table.size, seed=0), seed=0, budgets=[0.1]).states[0]
    assert state.routed.sum() == int(0.1 * table.size)
    np.testing.assert_array_equal(state.settled[~state.routed], table.ai[~state.routed])


@pytest.mark.parametrize("name", [name for name in NAMES if name != "oracle"])
def test_every_policy_ranks_every_instance_and_says_why(name: str) -> None:
    table, people = make_table(prompts=6)
    policy = POLICIES.load(name)()
    known = Known(instance=np.arange(5), rater=people.rater[:5], verdict=people.verdict[:5])
    ranking = policy.rank(table, known, cap=20, rng=policy_rng(name, 0))
    assert ranking.gain.shape == ranking.worth.shape == (table.size,)
    assert np.isfinite(ranking.gain).all()
    reasons = policy.explain(table, known, ranking, np.arange(table.size))
    assert len(reasons) == table.size
    assert all(reason.text for reason in reasons)
    probability = policy.settle(table, known)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0)
    assert set(verdicts_of(probability)) <= {-1, 0, 1}


def test_choosing_takes_the_largest_gains_that_are_worth_it() -> None:
    ranking = Ranking(gain=np.array([0.1, 0.9, 0.5, 0.7]), worth=np.array([True, True, True, False]))
    chosen = choose(
        ranking, chosen=np.array([False, True, False, False]), room=5, rng=np.random.default_rng(0)
    )
    assert chosen.tolist() == [2, 0]


def test_defer_asks_nobody_where_people_only_repeat_the_judge() -> None:
    table, people = make_table(prompts=60)
    people.verdict[:] = np.tile(table.ai, 3)
    found = run("defer", table, world(people, table.size, seed=0), seed=0, budgets=[1.0])
    assert found.states[0].routed.mean() < 0.8
    assert (found.states[0].settled == table.ai).mean() > 0.97


def test_people_are_trusted_where_nothing_tells_their_noise() -> None:
    """One pair a prompt: labels say nothing of each other, so with the whole budget people's verdicts stand."""
    table, people = make_table(prompts=150, models=2, judges=1, noise=1.5)
    table = replace(table, models=(), model_of=np.full_like(table.model_of, -1))
    drawn = world(people, table.size, seed=0)
    state = run("defer", table, drawn, seed=0, budgets=[1.0]).states[0]
    assert (state.settled == drawn.label)[state.routed].mean() > 0.95


def test_defer_beats_lots_where_the_judge_is_noisy() -> None:
    table, people = make_table(prompts=40, noise=1.5, seed=2)
    right = {}
    for name in ("random", "defer"):
        drawn = world(people, table.size, seed=0)
        states = run(name, table, drawn, seed=0, budgets=[0.1, 0.25, 0.5]).states
        held = drawn.gold != 9
        right[name] = np.mean([(state.settled == drawn.gold)[held].mean() for state in states])
    assert right["defer"] > right["random"] + 0.03


def test_the_oracle_is_never_worse_than_the_judge_or_the_person() -> None:
    table, people = make_table()
    drawn = world(people, table.size, seed=0)
    policy = Oracle()
    policy.see(gold=drawn.gold, label=drawn.label)
    state = run("oracle", table, drawn, seed=0, budgets=[1.0]).states[0]
    held = drawn.gold != 9
    best = max((table.ai == drawn.gold)[held].mean(), (drawn.label == drawn.gold)[held].mean())
    assert (state.settled == drawn.gold)[held].mean() >= best
