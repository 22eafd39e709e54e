"""Agreement over verdicts: people among themselves, a rater against people, corrected for chance or not.

Every figure is a `Statistic`: `.value`, `.n`, and `.estimate(clusters=…)` with a bootstrap interval over
instances. Figures follow the definitions in docs/statistics.md. Shapes: I items, K verdicts, V values.
"""

from typing import Literal

import numpy as np

from quality.intervals import Statistic, ratio
from quality.verdicts import TIE, TIE_COLUMN, VERDICTS, Bools, Floats, Ints, column, plurality

Metric = Literal["nominal", "ordinal", "interval"]


def share(agreed: Floats | Ints, of: Floats | Ints) -> Statistic:
    """A share: each item adds `agreed` out of `of`."""
    rows = np.stack([agreed, of], axis=1).astype(float)
    return Statistic(rows, lambda sums: ratio(sums[..., 0], sums[..., 1]), int(rows[:, 1].sum()), True)


# ---------------------------------------------------------------- people among themselves


def pairs_alike(table: Ints) -> tuple[Ints, Ints]:
    """Pairs of labels on each item that agree, (I,), and all pairs of labels on it, (I,)."""
    totals = table.sum(axis=1)
    return (table * (table - 1)).sum(axis=1) // 2, totals * (totals - 1) // 2


def raw(table: Ints) -> Statistic:
    """The share of pairs of labels on one item that agree; ties are a third answer. table: (I, K)."""
    return share(*pairs_alike(table))


def no_ties(table: Ints) -> Statistic:
    """The same over pairs of labels of which neither is a tie."""
    return share(*pairs_alike(np.delete(table, TIE_COLUMN, axis=1)))


def tie_rate(table: Ints) -> Statistic:
    """The share of labels that are ties."""
    return share(table[:, TIE_COLUMN], table.sum(axis=1))


# ---------------------------------------------------------------- Krippendorff's alpha


def alpha(table: Ints, *, values: Floats = VERDICTS, metric: Metric = "nominal") -> Statistic:
    """Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").

        alpha = 1 - (n - 1) sum_ck o_ck d_ck / sum_ck n_c n_k d_ck

    o_ck: coincidences, each item's ordered pairs of labels divided by (its labels - 1);
    n_c = sum_k o_ck; d: 1 unless c = k (nominal), squared difference of the values (interval), of
    the ranks' midpoints (ordinal). Items with one label do not count. table: (I, K), values: (K,)
    ascending. Undefined where all labels are the same.
    """
    totals = table.sum(axis=1)
    size = table.shape[1]
    rows = coincidences(table).reshape(len(table), size * size)

    def of(sums: Floats) -> Floats:
        return alpha_of(sums.reshape(*sums.shape[:-1], size, size), np.asarray(values, dtype=float), metric)

    return Statistic(rows, of, int(totals[totals > 1].sum()))


def coincidences(table: Ints) -> Floats:
    """Each item's coincidences of values, (I, K, K)."""
    counts = table.astype(float)
    ordered = counts[:, :, None] * counts[:, None, :]
    ordered -= counts[:, :, None] * np.eye(table.shape[1])
    return ordered / np.maximum(counts.sum(axis=1) - 1, 1)[:, None, None]


def alpha_of(coincidence: Floats, values: Floats, metric: Metric) -> Floats:
    """Alpha of summed coincidences, (…, K, K) -> (…)."""
    marginal = coincidence.sum(axis=-1)  # (…, K)
    distance = distances(marginal, values, metric)
    observed = (coincidence * distance).sum(axis=(-1, -2))
    expected = (marginal[..., :, None] * marginal[..., None, :] * distance).sum(axis=(-1, -2))
    return 1 - ratio((marginal.sum(axis=-1) - 1) * observed, expected)


def distances(marginal: Floats, values: Floats, metric: Metric) -> Floats:
    """d_ck of the metric, (…, K, K)."""
    if metric == "nominal":
        return np.broadcast_to(1 - np.eye(len(values)), (*marginal.shape, len(values)))
    place = marginal.cumsum(axis=-1) - marginal / 2 if metric == "ordinal" else values
    return np.square(place[..., :, None] - place[..., None, :])


def value_table(items: Ints, scores: Floats, *, n_items: int) -> tuple[Ints, Floats]:
    """Counts of each distinct score on each item, (I, K), and the scores, (K,) ascending."""
    values, codes = np.unique(scores, return_inverse=True)
    cells = np.asarray(items, dtype=np.intp) * len(values) + codes
    return np.bincount(cells, minlength=n_items * len(values)).reshape(n_items, -1), values


def alpha_interval(items: Ints, scores: Floats, *, n_items: int) -> Statistic:
    """Interval alpha of scores of any number of distinct values, by moments instead of coincidences.

    The ordered pairs' squared differences within an item of m scores sum to 2 m SS, where SS is the
    sum of squares about its mean. items, scores: (V,).
    """
    scores = np.asarray(scores, dtype=float)
    size = np.bincount(items, minlength=n_items).astype(float)
    total = np.bincount(items, weights=scores, minlength=n_items)
    square = np.bincount(items, weights=scores * scores, minlength=n_items)
    pairable = size > 1
    within = square - ratio(total * total, size)
    rows = np.stack([size, total, square, ratio(2 * size * within, size - 1)], axis=1)[pairable]

    def of(sums: Floats) -> Floats:
        n, first, second, observed = np.moveaxis(sums, -1, 0)
        return 1 - ratio((n - 1) * observed, 2 * (n * second - first * first))

    return Statistic(rows, of, int(size[pairable].sum()))


# ---------------------------------------------------------------- a rater against people


def versus_each(table: Ints, verdicts: Ints, present: Bools) -> Statistic:
    """How often a rater agrees with every single label of people; comparable with `raw`.

    table: (I, 3) people's counts; verdicts: (I,) the rater's; present: (I,) where it has one.
    """
    same = np.take_along_axis(table, column(verdicts)[:, None], axis=1)[:, 0]
    return share(np.where(present, same, 0), np.where(present, table.sum(axis=1), 0))


def versus_each_no_ties(table: Ints, verdicts: Ints, present: Bools) -> Statistic:
    """The same where neither the rater nor the person says tie."""
    table = table.copy()
    table[:, TIE_COLUMN] = 0
    return versus_each(table, verdicts, present & (verdicts != TIE))


def versus_majority(table: Ints, verdicts: Ints, present: Bools) -> Statistic:
    """How often a rater agrees with the strict plurality of people, where there is one."""
    majority, strict = plurality(table)
    compared = strict & present
    return share(compared & (majority == verdicts), compared)


def versus_majority_no_ties(table: Ints, verdicts: Ints, present: Bools) -> Statistic:
    """The same where neither is a tie."""
    majority, _ = plurality(table)
    return versus_majority(table, verdicts, present & (verdicts != TIE) & (majority != TIE))


def versus_majority_ties_halved(table: Ints, verdicts: Ints, present: Bools) -> Statistic:
    """Agreement with the strict plurality where it is no tie; a rater's tie counts half.

    What a coin in place of every tie would reach on average. So a rater that abstains cannot stand above,
    nor one that abstains wisely below, a rater that always decides.
    """
    majority, strict = plurality(table)
    compared = strict & present & (majority != TIE)
    credit = np.where(verdicts == majority, 1.0, np.where(verdicts == TIE, 0.5, 0.0))
    return share(compared * credit, compared)


def kappa(ours: Ints, theirs: Ints, compared: Bools) -> Statistic:
    """Cohen's kappa between two raters (Cohen 1960, Educational and Psychological Measurement 20).

    kappa = (p_o - p_e) / (1 - p_e). ours, theirs: (I,) verdicts; compared: (I,).
    """
    size = VERDICTS.size
    rows = np.zeros((len(ours), size * size))
    rows[np.arange(len(ours)), column(ours) * size + column(theirs)] = compared
    return Statistic(rows, kappa_of, int(compared.sum()))


def kappa_of(sums: Floats) -> Floats:
    """Kappa of a flattened confusion table, (…, K²) -> (…)."""
    size = int(np.sqrt(sums.shape[-1]))
    table = sums.reshape(*sums.shape[:-1], size, size)
    n = table.sum(axis=(-1, -2))
    observed = ratio(np.trace(table, axis1=-2, axis2=-1), n)
    expected = ratio((table.sum(axis=-1) * table.sum(axis=-2)).sum(axis=-1), n * n)
    return ratio(observed - expected, 1 - expected)


def kappa_majority(table: Ints, verdicts: Ints, present: Bools) -> Statistic:
    """Cohen's kappa between a rater and the strict plurality of people."""
    majority, strict = plurality(table)
    return kappa(verdicts, majority, strict & present)


def one_against_others(items: Ints, verdicts: Ints, *, n_items: int, table: Ints) -> Statistic:
    """Each label of a person against the strict plurality of the other people on the same item.

    What a judge's `versus_majority` should be held against: a majority of which one is not a member.
    """
    return against_others(items, verdicts, *plurality_of_others(items, verdicts, table), n_items=n_items)


def one_against_others_no_ties(items: Ints, verdicts: Ints, *, n_items: int, table: Ints) -> Statistic:
    """The same where neither is a tie."""
    majority, strict = plurality_of_others(items, verdicts, table)
    compared = strict & (majority != TIE) & (verdicts != TIE)
    return against_others(items, verdicts, majority, compared, n_items=n_items)


def judge_against_others(
    items: Ints, verdicts: Ints, judged: Ints, present: Bools, *, n_items: int, table: Ints
) -> tuple[Statistic, Statistic]:
    """A judge and, in his place, each person against the plurality of the *other* people, on the same items.

    Both are held against the same majorities, of which neither is a member; `difference` of the two says
    whether the judge could stand in for a person. judged, present: (I,) the judge's verdicts.
    """
    majority, strict = plurality_of_others(items, verdicts, table)
    compared = strict & present[items]
    return (
        against_others(items, judged[items], majority, compared, n_items=n_items),
        against_others(items, verdicts, majority, compared, n_items=n_items),
    )


def plurality_of_others(items: Ints, verdicts: Ints, table: Ints) -> tuple[Ints, Bools]:
    """What the others say on the item of each label, (V,), and whether they have a strict plurality, (V,)."""
    return plurality(table[items] - np.eye(VERDICTS.size, dtype=table.dtype)[column(verdicts)])


def against_others(
    items: Ints, verdicts: Ints, majority: Ints, compared: Bools, *, n_items: int
) -> Statistic:
    agreed = np.bincount(items, weights=compared & (majority == verdicts), minlength=n_items)
    return share(agreed, np.bincount(items, weights=compared, minlength=n_items))
