"""BERTScore's greedy matching: by loops, on random states and on what the real MiniLM gives."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from judges.encoders import SentenceEncoder
from judges.matching import greedy_matching

TEXTS = (
    "Paris is the capital of France.",
    "The capital city of France is called Paris, and it lies on the Seine.",
    "def add(a, b):\n    return a + b",
    "好的，谢谢你。",
    "",
    "The Seine flows through Paris, the capital of France. " * 1000,
)


def unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(count, 6)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def by_loops(first: list[list[float]], second: list[list[float]]) -> tuple[float, float, float]:
    """The paper's equations, one number at a time."""

    def similar(x: list[float], y: list[float]) -> float:
        size = math.sqrt(sum(a * a for a in x)) * math.sqrt(sum(b * b for b in y))
        return sum(a * b for a, b in zip(x, y, strict=True)) / size

    precision = sum(max(similar(x, y) for x in first) for y in second) / len(second)
    recall = sum(max(similar(x, y) for y in second) for x in first) / len(first)
    return precision, recall, 2 * precision * recall / (precision + recall)


@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10_000))
def test_matching_is_the_papers_swaps_with_its_texts_and_is_one_with_itself(
    s: int, t: int, seed: int
) -> None:
    first, second = np.abs(unit_rows(s, seed)), np.abs(unit_rows(t, seed + 1))
    found = greedy_matching(first, second)
    assert found == pytest.approx(by_loops(first.tolist(), second.tolist()), abs=1e-5)
    precision, recall, f1 = greedy_matching(second, first)
    assert (recall, precision, f1) == pytest.approx(found, abs=1e-6)
    assert greedy_matching(first, first) == pytest.approx((1, 1, 1), abs=1e-5)
    assert 0 <= min(found) <= max(found) <= 1 + 1e-6


def test_no_token_matches_nothing_but_no_token() -> None:
    nothing = unit_rows(0, 0)
    assert greedy_matching(nothing, nothing) == (1, 1, 1)
    assert greedy_matching(nothing, unit_rows(3, 0)) == greedy_matching(unit_rows(3, 0), nothing) == (0, 0, 0)


def test_states_that_point_away_from_each_other_score_nothing() -> None:
    here = np.array([[1, 0]], dtype=np.float32)
    assert greedy_matching(here, -here) == (-1, -1, 0)


@pytest.fixture(scope="module")
def minilm(weights: Path) -> SentenceEncoder:
    encoder = SentenceEncoder(models_dir=weights, cache_dir=settings.MODELS_CACHE)
    encoder.model.float()  # so that a text alone and a text in a batch give the same digits
    return encoder


@torch.inference_mode()
def words_of(encoder: SentenceEncoder, text: str) -> list[list[float]]:
    """The states of a text's own tokens, from a pass of its own."""
    tokens = encoder.tokenizer(
        text, truncation=True, max_length=256, return_tensors="pt", return_special_tokens_mask=True
    )
    special = tokens.pop("special_tokens_mask")[0].tolist()
    states = encoder.model(**tokens).last_hidden_state[0].tolist()
    return [state for state, added in zip(states, special, strict=True) if not added]


@pytest.mark.slow
def test_minilms_states_match_as_loops_over_a_pass_of_each_text_say(minilm: SentenceEncoder) -> None:
    pairs = [(0, 1), (1, 0), (2, 3), (1, 2), (3, 3)]
    vectors, scores = minilm.compare(TEXTS, pairs)
    states = [words_of(minilm, text) for text in TEXTS[:4]]
    for (first, second), row in zip(pairs, scores, strict=True):
        assert row.tolist() == pytest.approx(by_loops(states[first], states[second]), abs=1e-4)
    assert scores[0, 2] > scores[3, 2] + 0.2  # two wordings of one fact, a fact beside code
    np.testing.assert_array_equal(vectors, minilm.encode(TEXTS))


@pytest.mark.slow
def test_empty_and_huge_texts_match(minilm: SentenceEncoder) -> None:
    vectors, scores = minilm.compare(TEXTS, [(4, 4), (4, 0), (5, 5), (0, 5)])
    assert scores[0].tolist() == [1, 1, 1]
    assert scores[1].tolist() == [0, 0, 0]
    assert scores[2].tolist() == pytest.approx([1, 1, 1], abs=1e-4)
    assert 0.2 < scores[3, 2] < 0.9
    assert np.isfinite(vectors).all()
    assert len(words_of(minilm, TEXTS[5])) == 254  # the rest is cut, as for the vector
    assert minilm.compare(TEXTS[:2], [])[1].shape == (0, 3)
