"""What texts name, and how much of it two responses share."""

import doctest
from dataclasses import replace

import numpy as np
import pytest

from routing.features import entities as module
from routing.features.entities import entities, overlap
from tests.unit.routing.making import make_table


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (
            "Dr. Martin Luther King Jr. met Lyndon Johnson in Washington on 12 May 1964.",
            {"martin luther king jr", "lyndon johnson", "washington", "12", "may", "1964"},
        ),
        ("See https://example.org/a?b=1, or write to ann@demo.local.", {"https://example.org/a?b=1", "ann@demo.local"}),
        ("use barBaz, my_list, MAX_SIZE, main() and os.path", {"barbaz", "my_list", "max_size", "main()", "os.path"}),
        ("It costs 1,000.50, 12% more, at 10:30.", {"1,000.50", "12%", "10:30"}),
        ("- Paris is big\n- London is bigger\nI like Paris.", {"paris"}),  # a lone opening word proves nothing
        ("NASA flew. We saw The Hague. Is Ann there? I am.", {"nasa", "hague", "ann"}),
        ("I think so. However, no.", set()),
        ("东京在日本，有 3 个机场。", {"3"}),
        ("", set()),
    ],
)  # fmt: skip
def test_a_text_names_what_its_form_shows(text: str, named: set[str]) -> None:
    assert entities(text) == named


def test_the_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_overlap_is_intersection_over_union_and_one_where_nothing_is_named() -> None:
    table, _ = make_table(prompts=1, models=4, judges=1)
    texts = ("He saw Rome and Ann.", "We like Rome, Bonn and Ann.", "nothing here", "")
    found = overlap(replace(table, responses=texts, cache={}))
    pairs = [tuple(pair) for pair in table.pair.tolist()]
    np.testing.assert_allclose(found, [{(0, 1): 2 / 3, (2, 3): 1.0}.get(pair, 0.0) for pair in pairs])


def test_a_huge_text_takes_no_time() -> None:
    assert entities("The Seine flows through Paris, see www.paris.fr. " * 20_000) == {
        "seine",
        "paris",
        "www.paris.fr",
    }
