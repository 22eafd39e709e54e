"""Every task type's values in words; figures, paths and ranges."""

import re

import pytest

from dashboard.charts import Point, at_budget, draw_curve
from dashboard.reasons import FIGURE, HOLE, causes, filled
from dashboard.templatetags.dashboard import duration, lasting, percent, seconds, share
from dashboard.words import WORDS, extras_in_words, in_words
from ledger.models import Aspect
from ledger.task_types import TASK_TYPES


@pytest.mark.parametrize("name", list(TASK_TYPES))
def test_every_task_type_has_words(name):
    assert name in WORDS


@pytest.mark.parametrize(
    ("task", "settings", "value", "words"),
    [
        ("pairwise", {"steps": 2}, {"strength": -2}, "1 much better"),
        ("pairwise", {"steps": 2}, {"strength": 1}, "2 better"),
        ("pairwise", {"steps": 1}, {"strength": 1}, "2 better"),
        ("pairwise", {"steps": 3}, {"strength": -1}, "1 slightly better"),
        ("pairwise", {"steps": 2}, {"strength": 0}, "the same"),
        ("pairwise", {"steps": 2}, {"both_bad": True}, "both bad"),
        ("ranking", {}, {"ranks": [2, 1, 2]}, "2 > 1 = 3"),
        ("best_worst", {}, {"best": 2, "worst": 0, "size": 3}, "best 3, worst 1"),
        ("triplet", {}, {"alike": [0, 2]}, "1 and 3 are alike"),
        ("spans", {}, {"marks": []}, "nothing marked"),
        (
            "steps",
            {},
            {"marks": [{"response": 1, "start": s, "end": s + 1, "label": "wrong"} for s in (0, 5)]},
            "2: 2 wrong",
        ),
        ("edit", {}, {"edits": {"0": {"text": "b", "distance": 2}}}, "1 rewritten, 2 words changed"),
        ("text", {}, {"text": "Too long."}, "“Too long.”"),
        ("text", {"each": True}, {"texts": {"0": "a", "1": "b"}}, "1: “a” · 2: “b”"),
        ("signal", {}, {"signal": "thumbs", "response": 0, "value": -1}, "thumbs on 1: down"),
        ("rating", {"levels": {"4": "good"}}, {"ratings": {"0": 4, "1": 2.5}}, "1: 4 good · 2: 2.5"),
    ],
)
def test_values_in_words(task, settings, value, words):
    assert in_words(Aspect(task_type=task, settings=settings), value) == words


def test_extras_in_words():
    value = {"strength": 1, "probability": 0.716, "confidence": 3, "reasons": ["correct", "clear"]}
    assert extras_in_words(value) == "P(2) 0.72, sure, correct, clear"


def test_reasons_take_the_range_of_their_figures():
    said = ["The judges lean 38% to 2.", "The judges lean 55% to 2.", "The judges lean 7% to 2."]
    key = FIGURE.sub(HOLE, said[0])
    assert filled(key, [FIGURE.findall(text) for text in said]) == "The judges lean 7–55% to 2."


def test_a_reason_names_its_causes():
    said = "88% chance that a person differs from the judge: other judges disagree, the judge sees a tie."
    assert causes(said) == ["other judges disagree", "the judge sees a tie"]
    assert causes("Drawn by lot.") == ["Drawn by lot."]


def test_a_curve_between_its_points():
    points = [Point(0, 0.6, 0.5, 0.7), Point(0.5, 0.8, 0.7, 0.9), Point(1, 0.9, 0.8, 1.0)]
    assert at_budget(points, 0.25).mean == pytest.approx(0.7)
    assert at_budget(points, 1).high == 1.0
    assert at_budget(points, 0).low == 0.5
    curve = draw_curve(points, chance=[points[0], points[2]], mark=points[1])
    assert curve.line == "M50 196C151.7 166.7 253.3 127.6 355 108C456.7 88.4 558.3 78.7 660 64"
    assert curve.chance == "M50 196C253.3 152.0 456.7 108.0 660 64"
    assert curve.mark == (355, 108) and curve.mark_end
    assert [tick.text for tick in curve.rows] == ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]


def test_a_flat_curve_stays_flat():
    points = [Point(share, 0.7, 0.6, 0.8) for share in (0, 0.5, 1)]
    curve = draw_curve(points, chance=points, mark=points[0])
    heights = [float(number) for number in re.findall(r"[\d.]+", curve.line)][1::2]
    assert heights == [130.0] * 7


def test_figures():
    assert (share(None), share(""), share(0.666)) == ("–", "–", "0.67")
    assert (percent(0.305), seconds(4200), seconds(14_200), seconds(None)) == ("30 %", "4.2 s", "14 s", "–")
    assert (lasting(42), lasting(600), lasting(7200), duration(2)) == ("42 s", "10 min", "2.0 h", "2 min")
