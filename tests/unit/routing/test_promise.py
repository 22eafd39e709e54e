from itertools import combinations

import numpy as np
import pytest

from routing.promise import SLICE_AUDITS, fewest_audits, needed, promise, promise_by_slice, slice_parts, tail


@pytest.mark.parametrize("hits", [0, 2, 4])
def test_the_tail_is_the_worst_population_that_breaks_the_promise(hits: int) -> None:
    """Enumerate every sample of every population that falls short: the p-value is the largest chance."""
    population, sample, target = 9, 4, 0.6
    rest = population - sample
    chances = []
    for agreeing in range(population + 1):
        values = [1] * agreeing + [0] * (population - agreeing)
        drawn = [sum(values[i] for i in chosen) for chosen in combinations(range(population), sample)]
        broken = [got >= hits and (agreeing - got) / rest < target for got in drawn]
        chances.append(np.mean(broken))
    assert max(chances) <= tail(population=population, sample=sample, hits=hits, target=target) + 1e-12


def test_auditing_everything_leaves_nothing_to_promise() -> None:
    assert tail(population=5, sample=5, hits=1, target=0.9) == 0.0


def test_nineteen_audits_that_all_agree_could_pass_for_085_at_095() -> None:
    assert fewest_audits(0.85, 0.95) == 19


def test_a_rate_below_the_target_needs_no_number_because_none_would_do() -> None:
    assert needed(100, 80, 1000, 0.85, 0.95) is None
    more = needed(100, 90, 1000, 0.85, 0.95)
    assert more is not None
    assert 100 < more < 1000


def world(rng: np.random.Generator, size: int = 800) -> tuple[np.ndarray, np.ndarray]:
    """Safety scores that mean something, and whether the judge agrees."""
    safety = rng.beta(4, 1.5, size=size)
    return safety, rng.random(size) < safety


@pytest.mark.parametrize(("target", "least"), [(0.7, 150), (0.8, 50), (0.9, 1)])
def test_promises_are_broken_in_at_most_1_of_20_worlds(target: float, least: int) -> None:
    broken, made = 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        safety, agrees = world(rng)
        audits = rng.choice(len(safety), size=160, replace=False)
        found = promise(safety, audits, agrees[audits], target=target, confidence=0.95)
        made += found.kept
        broken += found.kept and agrees[found.accepted].mean() < target
    assert made >= least
    assert broken <= 15  # the binomial 95 % point of 200 × 0.05


def test_audited_instances_are_never_among_the_accepted() -> None:
    rng = np.random.default_rng(0)
    safety, agrees = world(rng)
    audits = rng.choice(len(safety), size=200, replace=False)
    found = promise(safety, audits, agrees[audits], target=0.7, confidence=0.95)
    assert found.kept
    assert not found.accepted[audits].any()
    assert "70% of the" in found.sentence()


def test_a_coin_flipping_judge_gets_no_promise_and_is_told_so() -> None:
    rng = np.random.default_rng(0)
    safety, audits = rng.random(500), np.arange(0, 500, 3)
    found = promise(safety, audits, rng.random(len(audits)) < 0.4, target=0.85, confidence=0.95)
    assert not found.kept
    assert found.needed is None
    assert "more audits would not change that" in found.sentence()


def test_a_slice_stands_alone_only_with_audits_enough() -> None:
    slices = np.repeat([0, 1, 2], [1000, 600, 300])
    audits = np.r_[np.arange(SLICE_AUDITS), 1000 + np.arange(SLICE_AUDITS - 1), 1600 + np.arange(50)]
    first, rest = slice_parts(slices, audits)
    assert set(slices[first]) == {0}
    assert set(slices[rest]) == {1, 2}
    assert len(first) + len(rest) == len(slices)


def test_a_slice_where_the_judge_is_poor_goes_to_people_and_the_others_keep_their_promise() -> None:
    rng = np.random.default_rng(0)
    slices = np.repeat([0, 1], 2000)
    agrees = rng.random(4000) < np.where(slices == 0, 0.97, 0.5)
    audits = rng.choice(4000, size=600, replace=False)
    safety = np.where(slices == 0, 0.96, 0.6)
    found = promise_by_slice(safety, audits, agrees[audits], slices, target=0.9, confidence=0.95)
    assert found.slices == 2
    assert found.kept
    assert set(slices[found.accepted]) == {0}
    assert not found.accepted[audits].any()
    assert "tested apart in 2 slices" in found.sentence()


def test_small_slices_are_pooled_into_the_promise_that_one_would_make() -> None:
    rng = np.random.default_rng(1)
    safety, agrees = world(rng)
    audits = rng.choice(len(safety), size=160, replace=False)
    slices = rng.integers(0, 8, size=len(safety))
    apart = promise_by_slice(safety, audits, agrees[audits], slices, target=0.7, confidence=0.95)
    whole = promise(safety, audits, agrees[audits], target=0.7, confidence=0.95)
    np.testing.assert_array_equal(apart.accepted, whole.accepted)
    assert apart.slices == 1


def test_promises_in_slices_are_broken_in_at_most_1_of_20_worlds() -> None:
    broken, made = 0, 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        safety, agrees = world(rng, size=4000)
        slices = rng.integers(0, 2, size=4000)
        audits = rng.choice(4000, size=500, replace=False)
        found = promise_by_slice(safety, audits, agrees[audits], slices, target=0.75, confidence=0.95)
        made += found.kept
        broken += found.kept and any(
            agrees[found.accepted & (slices == code)].mean() < 0.75
            for code in (0, 1)
            if (found.accepted & (slices == code)).any()
        )
    assert made >= 100
    assert broken <= 15
