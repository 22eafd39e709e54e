import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from routing.mixes import heads, probe_accuracy, tag_fill
from routing.policies.oracle import NO_GOLD
from routing.replay import (
    Scores,
    area,
    caps,
    decision_rows,
    plural_gold,
    rated_gold,
    replay,
    replayable,
    summarise,
    world,
)
from routing.table import People
from tests.unit.routing.making import make_table

BUDGETS = [0.0, 0.25, 1.0]


def people(rows: list[tuple[int, int, int, float, float]]) -> People:
    flat = np.array(rows, dtype=float)
    whole = flat[:, :3].astype(int)
    return People(
        pair=whole[:, 0], rater=whole[:, 1], verdict=whole[:, 2], scores=flat[:, 3:], names=("a", "b", "c")
    )


def test_gold_is_the_strict_plurality_of_the_others() -> None:
    nan = float("nan")
    said = people(
        [
            (0, 0, 1, nan, nan),
            (0, 1, 1, nan, nan),
            (0, 2, -1, nan, nan),
            (1, 0, 0, nan, nan),
            (1, 1, 1, nan, nan),
        ]
    )
    assert plural_gold(said, np.array([0, 1, 2]), 3).tolist() == [1, NO_GOLD, NO_GOLD]
    assert plural_gold(said, np.array([0, 2, 3, 4]), 2).tolist() == [NO_GOLD, NO_GOLD]
    assert plural_gold(said, np.array([3]), 2).tolist() == [NO_GOLD, 0]


def test_gold_of_ratings_is_the_higher_mean_of_the_others() -> None:
    said = people([(0, 0, 0, 3, 3), (0, 1, 1, 1, 4), (0, 2, -1, 3, 2), (1, 0, 0, 2, 2)])
    assert rated_gold(said, np.array([0, 1, 2, 3]), 2).tolist() == [1, 0]


def test_the_drawn_label_is_left_out_of_the_gold() -> None:
    table, said = make_table(prompts=4)
    for seed in range(5):
        drawn = world(said, table.size, seed=seed)
        for pair in range(table.size):
            rows = np.flatnonzero(said.pair == pair)
            others = [said.verdict[row] for row in rows if said.rater[row] != drawn.rater[pair]]
            counts = sorted((others.count(v) for v in (-1, 0, 1)), reverse=True)
            expected = max((-1, 0, 1), key=others.count) if counts[0] > counts[1] else NO_GOLD
            assert drawn.gold[pair] == expected


def test_the_world_is_the_same_for_every_policy_and_differs_between_seeds() -> None:
    table, said = make_table(prompts=6)
    assert (world(said, table.size, seed=1).label == world(said, table.size, seed=1).label).all()
    assert (world(said, table.size, seed=1).rater != world(said, table.size, seed=2).rater).any()


def test_budgets_are_shares_of_all_rounded_down() -> None:
    assert caps([0, 0.1, 0.29, 1], 100) == [0, 10, 29, 100]


def test_the_area_is_the_trapezoid_over_the_range() -> None:
    assert area(np.array([0.5, 0.7, 0.9]), [0.0, 0.5, 1.0]) == pytest.approx(0.7)
    assert area(np.array([0.6, 0.8]), [0.2, 0.4]) == pytest.approx(0.7)
    assert area(np.array([0.6]), [0.3]) == 0.6


def test_the_summary_can_be_recomputed_from_the_decisions() -> None:
    table, said = replayable(*make_table(prompts=8))
    scores, rows = Scores(BUDGETS, {}, {}), []
    for run in replay(table, said, policies=["random", "uncertainty", "oracle"], budgets=BUDGETS, seeds=3):
        scores.add(run, table.prompt, len(table.prompts))
        rows += list(decision_rows(run, table, said, BUDGETS))
    report = summarise(scores, rng=np.random.default_rng(0))
    for name, found in report["policies"].items():
        means = []
        for point in found["curve"]:
            held = [
                r
                for r in rows
                if r["policy"] == name and r["budget"] == point["budget"] and r["gold"] is not None
            ]
            means.append(np.mean([r["settled"] == r["gold"] for r in held]))
            assert point["mean"] == pytest.approx(means[-1])
            assert point["low"] <= point["mean"] <= point["high"]
        assert found["area"] == pytest.approx(area(np.array(means), BUDGETS))
    assert report["paired"]["oracle-random"]["mean"] == pytest.approx(
        -report["paired"]["random-oracle"]["mean"]
    )
    assert len(report["paired"]) == 6


def test_a_row_names_the_person_only_where_somebody_was_asked() -> None:
    table, said = replayable(*make_table(prompts=3))
    run = next(iter(replay(table, said, policies=["random"], budgets=[0.5], seeds=1)))
    for row in decision_rows(run, table, said, [0.5]):
        assert (row["annotator"] is None) == (row["revealed"] is None) == (not row["routed"])


def test_pairs_without_a_judge_or_a_person_are_left_out() -> None:
    table, said = make_table(prompts=3)
    table.verdict[0, 4] = np.nan
    kept = said.pair != 7
    said = People(said.pair[kept], said.rater[kept], said.verdict[kept], said.scores[kept], said.names)
    narrowed, labels = replayable(table, said)
    assert narrowed.size == table.size - 2
    assert {"i4", "i7"}.isdisjoint(narrowed.ids)
    assert set(labels.pair) == set(range(narrowed.size))


def test_tag_filling_takes_whole_tags_in_turn() -> None:
    tags = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0]])
    mixes = tag_fill(tags, np.full(50, 2), rng=np.random.default_rng(0))
    assert {tuple(mix) for mix in mixes.astype(int)} == {(1, 1, 0, 0, 0), (0, 0, 1, 1, 0)}


def test_the_batched_heads_are_the_penalised_logistic_fit() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 3))
    y = (x @ [1.0, -2.0, 0.5] + rng.normal(size=200) > 0).astype(float)
    found = heads(x, y[None, :], np.ones((1, 200)))
    expected = LogisticRegression(C=1 / 3.0, fit_intercept=False, tol=1e-8).fit(x, y).coef_
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_probe_trained_on_the_truth_beats_one_trained_on_noise() -> None:
    table, said = make_table(prompts=40, noise=0.3)
    drawn = world(said, table.size, seed=0)
    rng = np.random.default_rng(0)
    settled = np.stack([drawn.label, rng.integers(-1, 2, size=table.size)])
    truth, noise = probe_accuracy(table, settled, drawn.gold, drawn.gold != NO_GOLD)
    assert 0 <= noise <= 1
    assert 0 <= truth <= 1
