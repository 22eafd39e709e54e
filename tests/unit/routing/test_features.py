from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from routing.features import FEATURES
from routing.features.base import block, gather, share_below, standard
from routing.features.form import SIGNS, occurrences
from routing.features.similarity import length_adjusted, likeness, rouge
from routing.features.tags import scores
from routing.table import Table
from tests.unit.routing.making import make_table


def swapped(table: Table) -> Table:
    """The same pairs with their responses the other way round."""
    return replace(
        table,
        pair=table.pair[:, ::-1].copy(),
        verdict=-table.verdict,
        probability=1 - table.probability,
        matching=None if table.matching is None else table.matching[:, [1, 0, 2]],
        cache={},
    )


def matched(table: Table) -> Table:
    """The table with a matching of each pair: precision, recall and F1."""
    scores = np.random.default_rng(0).uniform(0.3, 0.9, size=(table.size, 2))
    f1 = 2 * scores.prod(axis=1) / scores.sum(axis=1)
    return replace(table, matching=np.column_stack([scores, f1]), cache={})


@pytest.mark.parametrize("name", FEATURES.names())
def test_odd_features_change_sign_with_the_responses_and_even_ones_stay(name: str) -> None:
    table = matched(make_table()[0])
    here, there = block(table, name), block(swapped(table), name)
    for column, values in here.odd.items():
        np.testing.assert_allclose(there.odd[column], -values, atol=1e-3, err_msg=column)
    for column, values in here.even.items():
        np.testing.assert_allclose(there.even[column], values, atol=1e-3, err_msg=column)


@pytest.mark.parametrize("name", FEATURES.names())
def test_features_are_finite_where_everything_is_the_same(name: str) -> None:
    table, _ = make_table(prompts=3)
    flat = replace(
        table,
        responses=("",) * len(table.responses),
        prompts=("",) * len(table.prompts),
        verdict=np.zeros_like(table.verdict),
        cache={},
    )
    found = block(flat, name)
    for column, values in (found.odd | found.even).items():
        assert values.shape == (table.size,), column
        assert np.isfinite(values).all(), column


def test_features_are_found_once_for_a_table() -> None:
    table, _ = make_table(prompts=3)
    assert block(table, "form") is block(table, "form")


def test_all_features_of_a_table_carry_the_name_of_their_entry() -> None:
    table, _ = make_table(prompts=3)
    found = gather(table)
    assert {column.split(".")[0] for column in found.odd | found.even} <= set(FEATURES.names())


def test_ranks_lie_between_0_and_1_and_ties_share_the_middle() -> None:
    assert share_below(np.array([5.0, 1.0, 1.0, 9.0])).tolist() == [0.625, 0.25, 0.25, 0.875]
    assert standard(np.full(4, 7.0)).tolist() == [0.0] * 4


def test_rouge_of_known_texts() -> None:
    table, _ = make_table(prompts=1, models=2)
    known = replace(table, responses=("the cat sat", "the cat ran home"), cache={})
    # 2 of 3 and 2 of 4 words shared: F1 = 4/7, in the same order
    np.testing.assert_allclose(rouge(known), [[4 / 7, 4 / 7]])


def test_matching_is_a_feature_where_it_is_stored_and_rouge_stands_in_elsewhere() -> None:
    plain = make_table()[0]
    table = matched(plain)
    assert table.matching is not None
    columns = block(table, "similarity")
    assert {"covered"} == set(columns.odd)
    assert set(columns.even) - set(block(plain, "similarity").even) == {"matching", "matching_adjusted"}
    np.testing.assert_allclose(columns.even["matching"], standard(table.matching[:, 2]))
    np.testing.assert_array_equal(likeness(plain), rouge(plain)[:, 0])
    np.testing.assert_array_equal(scores(table)[:, 0], table.matching[:, 2])
    np.testing.assert_array_equal(scores(plain)[:, 0], rouge(plain)[:, 0])
    np.testing.assert_array_equal(scores(table)[:, 2:], scores(plain)[:, 2:])


def test_the_adjusted_score_falls_with_the_ratio_of_lengths() -> None:
    table, _ = make_table(prompts=1, models=3)
    known = replace(table, responses=("one two", "one two three four", ""), cache={})
    found = length_adjusted(known, np.ones(3))
    np.testing.assert_allclose(found, [np.exp(1 - 4 / 2), np.exp(1 - 2 / 1), np.exp(1 - 4 / 1)])


@pytest.mark.parametrize(
    ("sign", "text", "count"),
    [
        ("lists", "- one\n* two\n3. three\nfour - five", 3),
        ("code", "```py\nx\n```\n    indented", 3),
        ("tables", "| a | b |\n|---|---|\na | b", 2),
        ("tables", "one\ttwo\nthree\tfour\nplain", 2),
        ("mathematics", r"\(x\) and $$y$$ and $a_1 = b$ and \frac{1}{2}", 5),
        ("mathematics", "x = 3, so x + 4 is 7 and ∑ is a sum", 3),
        ("mathematics", "It costs $20, or $30 with tax.", 0),
        ("emphasis", "# Title\n**bold**", 3),
        ("refusals", "I'm sorry, I cannot help. As an AI I am unable to.", 4),
        ("empty", " \n", 1),
    ],
)
def test_signs_of_form_are_counted(sign: str, text: str, count: int) -> None:
    assert occurrences(SIGNS[sign], text) == count


def test_every_entry_stands_in_the_documents_table() -> None:
    table = (Path(__file__).parents[3] / "docs" / "routing.md").read_text(encoding="utf-8")
    assert [name for name in FEATURES if f"| `{name}` |" not in table] == []
