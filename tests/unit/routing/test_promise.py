from itertools import combinations

import numpy as np
import pytest

from routing.promise import fewest_audits, needed, promise, tail


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
