"""Agreement: every published figure of the real sets, the reference implementation of alpha, and speed."""

import time

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import cohen_kappa_score

from quality import agreement
from quality.intervals import difference
from quality.verdicts import consecutive, count_table, fold, pairs_from_scores
from tests.unit.quality.sets import pair_set, published, ratings

PAIR_SETS = ["mtbench", "pandalm", "ukp_convarg"]


@pytest.mark.parametrize("name", PAIR_SETS)
def test_people_among_themselves_are_as_published(name):
    known, table = published(name)["pairwise"], pair_set(name).table

    for statistic, figure in (("raw", "human_human_raw"), ("no_ties", "human_human_raw_no_ties")):
        computed = getattr(agreement, statistic)(table)
        assert [computed.value, computed.n] == pytest.approx(known[figure], abs=1e-12)
    assert agreement.alpha(table).value == pytest.approx(known["alpha_nominal"], abs=1e-12)
    assert agreement.alpha(table, metric="interval").value == pytest.approx(
        known["alpha_interval"], abs=1e-12
    )
    assert agreement.tie_rate(table).value == pytest.approx(known["human_tie_rate"], abs=1e-12)


@pytest.mark.parametrize("name", ["mtbench", "pandalm"])
def test_each_judge_beside_people_is_as_published(name):
    data, known = pair_set(name), published(name)["pairwise"]["judges"]

    assert set(data.judges) == set(known)
    for judge, rows in data.judges.items():
        folded = fold(*rows.T)
        verdicts, present = np.zeros(data.n_items, int), np.zeros(data.n_items, bool)
        verdicts[folded.items], present[folded.items] = folded.verdicts, True
        for statistic, figure in (
            ("versus_each", "vs_each_human_raw"),
            ("versus_each_no_ties", "vs_each_human_no_ties"),
            ("versus_majority", "vs_majority_raw"),
            ("versus_majority_no_ties", "vs_majority_no_ties"),
        ):
            computed = getattr(agreement, statistic)(data.table, verdicts, present)
            assert [computed.value, computed.n] == pytest.approx(known[judge][figure], abs=1e-12), judge
        kappa = agreement.kappa_majority(data.table, verdicts, present).value
        assert kappa == pytest.approx(known[judge]["vs_majority_kappa"], abs=1e-12), judge
        twice = folded.orders > 1
        flips, n = known[judge]["order_flip_rate"]
        assert twice.sum() == n
        assert n == 0 or (~folded.consistent[twice]).mean() == pytest.approx(flips, abs=1e-12)


def test_ratings_as_pairs_are_as_published():
    known = published("conala_code")["rating:usefulness"]
    items, raters, responses, values = ratings("conala_code").T
    groups, keys = consecutive(items, raters)
    pairs = pairs_from_scores(groups, responses, values)
    units, rows = consecutive(keys[pairs.groups, 0], pairs.first, pairs.second)

    computed = agreement.no_ties(count_table(units, pairs.verdicts, n_items=len(rows)))

    assert [computed.value, computed.n] == pytest.approx(
        known["human_human_derived_pairs_no_ties"], abs=1e-12
    )
    rated, rows = consecutive(items, responses)
    alpha = agreement.alpha_interval(rated, values, n_items=len(rows))
    assert alpha.value == pytest.approx(known["alpha_interval"], abs=1e-12)


@pytest.mark.parametrize("steps", ["no_step", "with_step"])
@pytest.mark.parametrize("reference", ["no_ref", "with_ref"])
def test_a_rating_judge_orders_pairs_as_published(steps, reference):
    judge = f"gpt-3.5-turbo [{steps}_{reference}]"
    known = published("conala_code")["rating:usefulness"]["judges"][judge][
        "derived_pairs_vs_human_mean_no_ties"
    ]
    items, _, responses, values = ratings("conala_code").T
    rated, rows = consecutive(items, responses)
    mean = np.bincount(rated, weights=values) / np.bincount(rated)
    people = pairs_from_scores(rows[:, 0], rows[:, 1], mean)
    items, _, responses, values = ratings("conala_code", judge).T
    ours = pairs_from_scores(items, responses, values)
    theirs = dict(zip(zip(people.groups, people.first, people.second), people.verdicts))
    both = [
        (theirs.get(key, 0), v) for key, v in zip(zip(ours.groups, ours.first, ours.second), ours.verdicts)
    ]
    decided = [a == b for a, b in both if a and b]

    assert [np.mean(decided), len(decided)] == pytest.approx(known, abs=1e-12)


# ---------------------------------------------------------------- against reference implementations

tables = arrays(int, st.tuples(st.integers(2, 12), st.just(3)), elements=st.integers(0, 4))


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval"])
@settings(max_examples=60, deadline=None)
@given(table=tables)
def test_alpha_equals_the_reference_implementation(metric, table):
    usable = table[table.sum(axis=1) > 1]
    if (usable.sum(axis=0) > 0).sum() < 2:
        assert agreement.alpha(table, metric=metric).value is None
        return
    expected = krippendorff.alpha(
        value_counts=usable, value_domain=[-1.0, 0.0, 1.0], level_of_measurement=metric
    )
    assert agreement.alpha(table, metric=metric).value == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(pairs=arrays(int, st.tuples(st.integers(4, 40), st.just(2)), elements=st.integers(-1, 1)))
def test_kappa_equals_scikit_learn(pairs):
    ours, theirs = pairs.T
    computed = agreement.kappa(ours, theirs, np.ones(len(ours), bool)).value
    if len(set(ours) | set(theirs)) == 1:
        assert computed is None
    else:
        assert computed == pytest.approx(cohen_kappa_score(ours, theirs), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(table=tables)
def test_pairs_of_labels_equal_a_plain_double_loop(table):
    agreed = compared = 0
    for row in table:
        labels = np.repeat([-1, 0, 1], row)
        for a in range(len(labels)):
            for b in range(a + 1, len(labels)):
                compared += 1
                agreed += labels[a] == labels[b]
    computed = agreement.raw(table)
    assert (computed.n, computed.value) == (compared, pytest.approx(agreed / compared) if compared else None)


# ---------------------------------------------------------------- edges


def test_nothing_to_compare_is_none_and_not_nan():
    table = count_table(np.array([0, 1]), np.array([1, -1]), n_items=2)
    for statistic in (agreement.raw, agreement.no_ties, agreement.alpha):
        assert statistic(table).value is None
        assert statistic(table).estimate().low is None


def test_orders_that_disagree_are_a_tie():
    items, raters = np.array([0, 0, 1, 1, 2]), np.zeros(5, int)
    folded = fold(items, raters, np.array([1, -1, 1, 1, -1]), np.array([0, 1, 0, 1, 0]))
    assert folded.verdicts.tolist() == [0, 1, -1]
    assert folded.consistent.tolist() == [False, True, True]
    assert folded.orders.tolist() == [2, 2, 1]


def test_repeats_within_one_order_are_reduced_to_their_plurality_first():
    folded = fold(
        np.zeros(6, int), np.zeros(6, int), np.array([1, 1, -1, 1, 1, 1]), np.array([0, 0, 0, 1, 1, 1])
    )
    assert folded.verdicts.tolist() == [1]


def test_one_person_against_the_others_leaves_his_own_label_out():
    items, verdicts = np.array([0, 0, 0]), np.array([1, 1, -1])
    table = count_table(items, verdicts, n_items=1)
    # Each 1 sees (1, -1), which is split; the -1 sees (1, 1).
    computed = agreement.one_against_others(items, verdicts, n_items=1, table=table)
    assert (computed.value, computed.n) == (0.0, 1)


def test_the_bootstrap_of_a_difference_is_paired():
    table = np.tile([[2, 0, 0], [0, 0, 2]], (50, 1))
    same = np.tile([-1, 1], 50)
    present = np.ones(100, bool)
    right, also_right = (agreement.versus_each(table, same, present) for _ in range(2))
    gap = difference(right, also_right).estimate()
    assert (gap.value, gap.low, gap.high) == (0, 0, 0)


def test_perfect_agreement_is_no_certainty():
    """Every resample of unanimous labels is unanimous; the interval must still say how few they are."""
    table = np.tile([3, 0, 0], (10, 1))
    interval = agreement.raw(table).estimate()
    assert (interval.value, interval.n) == (1.0, 30)
    assert interval.high == pytest.approx(1.0)
    assert interval.low == pytest.approx(0.722, abs=0.001)  # Wilson, 10 of 10 instances


def test_a_bootstrap_interval_covers_at_its_rate():
    rng, covered = np.random.default_rng(3), 0
    for _ in range(200):
        labels = rng.random((120, 3)) < 0.8  # truth: .8² + .2² = 0.68
        table = np.stack([(~labels).sum(axis=1), np.zeros(120, int), labels.sum(axis=1)], axis=1)
        interval = agreement.raw(table).estimate(rng=rng, resamples=300)
        covered += interval.low <= 0.68 <= interval.high
    assert 178 <= covered <= 199  # 95 % of 200, within what 200 trials can tell


def test_a_hundred_thousand_labels_take_well_under_a_second():
    rng = np.random.default_rng(0)
    items, verdicts = rng.integers(0, 20_000, 100_000), rng.integers(-1, 2, 100_000)
    start = time.process_time()
    table = count_table(items, verdicts, n_items=20_000)
    for statistic in (agreement.raw, agreement.no_ties, agreement.alpha):
        statistic(table).estimate()
    agreement.one_against_others(items, verdicts, n_items=20_000, table=table).estimate()
    assert time.process_time() - start < 1.0
