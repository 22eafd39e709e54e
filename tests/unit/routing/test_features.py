from dataclasses import replace

import numpy as np
import pytest

from routing.features import FEATURES
from routing.features.base import block, gather, share_below, standard
from routing.features.similarity import rouge
from routing.table import Table
from tests.unit.routing.making import make_table


def swapped(table: Table) -> Table:
    """The same pairs with their responses the other way round."""
    return replace(
        table,
        pair=table.pair[:, ::-1].copy(),
        verdict=-table.verdict,
        probability=1 - table.probability,
        cache={},
    )


@pytest.mark.parametrize("name", FEATURES.names())
def test_odd_features_change_sign_with_the_responses_and_even_ones_stay(name: str) -> None:
    table, _ = make_table()
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
