"""Which model people prefer: a known order on a real set, and silence where there is little to say."""

import numpy as np
import pytest
from django.template.loader import render_to_string

from ledger.imports.load import import_file
from quality.leaderboard import compare_models, rate_bounds, win_rates
from tests.makers import import_rows, make_project, make_row

pytestmark = pytest.mark.django_db


def test_mtbench_puts_the_models_in_their_known_order(shared_data):
    project = make_project("mtbench", template="blank")
    import_file(project, shared_data("mtbench"))
    rows = compare_models(project.aspects.get(name="overall"))
    assert [row.name for row in rows] == [
        "gpt-4",
        "claude-v1",
        "gpt-3.5-turbo",
        "vicuna-13b-v1.2",
        "alpaca-13b",
        "llama-13b",
    ]
    assert rows[0].wins.value == pytest.approx(0.748, abs=0.001)
    assert rows[0].wins.low < 0.748 < rows[0].wins.high
    html = render_to_string("quality/models.html", {"rows": rows, "aspect": "Overall"})
    assert "vicuna-13b-v1.2" in html


def test_few_votes_and_unnamed_models_say_nothing():
    project = make_project("few", template="multipref")
    human = [{"annotator": "ann", "task": "pairwise", "aspect": "overall", "value": 1}]
    import_rows(project, [make_row(number, human=human) for number in range(5)])
    assert compare_models(project.aspects.get(name="overall")) == []
    assert render_to_string("quality/models.html", {"rows": [], "aspect": "Overall"}).strip() == ""


def test_two_models_win_as_often_as_they_were_preferred():
    wins = np.array([[0.0, 300.0], [100.0, 0.0]])
    assert win_rates(wins) == pytest.approx([0.75, 0.25], abs=0.005)  # one drawn game each pulls a little


def test_intervals_resample_whole_prompts():
    one_prompt = np.array([[[0.0, 30.0], [10.0, 0.0]]])
    assert rate_bounds(one_prompt)[0] == pytest.approx(rate_bounds(one_prompt)[1])
    many = np.repeat(one_prompt / 40, 40, axis=0)
    assert rate_bounds(many)[0] == pytest.approx(rate_bounds(many)[1])  # equal prompts: nothing varies
    mixed = np.concatenate(
        [np.tile([[[0.0, 1.0], [0.0, 0.0]]], (30, 1, 1)), np.tile([[[0.0, 0.0], [1.0, 0.0]]], (10, 1, 1))]
    )
    low, high = rate_bounds(mixed)
    assert low[0] < 0.73 < high[0]
