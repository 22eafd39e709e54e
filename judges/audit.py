"""The audit of a judge: agreement, biases, calibration, consistency, injection, cost; for any judge with
labels.

What needs no model is read from the ledger (`recorded`), also for imported judges. What needs the judge
itself, paraphrase, resampling and the attack suite (`live`), asks it again and so runs in a worker or with
the command.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from itertools import permutations
from typing import Any

import numpy as np
from django.db.models import Avg, Count, Sum

from judges.calibrating import fitted
from judges.models import JudgeRun, JudgeVersion
from ledger.models import Aspect, Instance, Label, Project, Rater, Response
from quality import agreement
from quality.bias import flip_rate_of, style_counts, style_slopes
from quality.bias import length_slope as slope_over_length
from quality.calibration import brier, cross_fitted, ece, ece_debiased, reliability, slope_and_intercept
from quality.intervals import Estimate, proportion
from quality.lengths import item_lengths, longer_wins, response_lengths
from quality.panels import gap_to_baseline, standing_of
from quality.readings import JudgeReading, Reading, read_aspect
from quality.verdicts import Bools, Floats, Ints, plurality
from web.registry import unknown

FEW = 20  # compared items below which a slice is left out
ENOUGH_TO_CALIBRATE = 50
SLICES = ("domain", "category", "language", "source", "turns")
GAPS = (np.log2(1.25), 1.0)  # of the longer response over the shorter, in doublings
LONGER = ("alike", "longer by a quarter or more", "twice as long or more")
STYLES = ("lists", "headers", "bold")


def recorded(project: Project, judge: str, aspect: Aspect) -> dict[str, Any]:
    """Everything that the ledger says about the judge on this aspect. Raises `UnknownName`."""
    reading = read_aspect(aspect)
    mine = next((one for one in reading.judges if one.name == judge), None)
    if mine is None:
        raise unknown("judge with labels", judge, [one.name for one in reading.judges])
    sizes = item_lengths(reading, response_lengths(project))
    return {
        "aspect": aspect.name,
        "judged": int(mine.present.sum()),
        "agreement": agreement_of(reading, mine, sizes),
        "slices": slices(project, reading, mine, sizes),
        "position": position(aspect, mine),
        "slopes": slopes(project, reading, mine, sizes),
        "self_preference": self_preference(project, reading, mine),
        "transitivity": transitivity(reading, mine),
        "calibration": calibration(reading, mine),
        "work": work(project, aspect, mine.rater),
    }


# ---------------------------------------------------------------- agreement


def agreement_of(reading: Reading, judge: JudgeReading, sizes: Ints) -> dict[str, Any]:
    """Against people's majority, folded and averaged; beside people among themselves and "the longer wins"."""
    table, prompts, longer = reading.table, reading.prompt, longer_wins(sizes)
    both = np.where(judge.present[:, None], table, 0)  # people on the instances that it has judged
    averaged, known = averaged_verdicts(judge)
    return {
        "raw": told(
            agreement.versus_majority(table, judge.verdicts, judge.present).estimate(clusters=prompts)
        ),
        "no_ties": told(
            agreement.versus_majority_no_ties(table, judge.verdicts, judge.present).estimate(clusters=prompts)
        ),
        "kappa": told(
            agreement.kappa_majority(table, judge.verdicts, judge.present).estimate(clusters=prompts)
        ),
        "averaged": told(
            agreement.versus_majority_no_ties(table, averaged, known).estimate(clusters=prompts)
        ),
        "people": told(agreement.raw(both).estimate(clusters=prompts)),
        "longer": told(
            agreement.versus_majority_no_ties(table, longer, judge.present).estimate(clusters=prompts)
        ),
        "gap_to_longer": told(gap_to_baseline(reading, judge, longer)),
        "standing": standing_of(gap_to_baseline(reading, judge, longer)).value,
    }


def averaged_verdicts(judge: JudgeReading) -> tuple[Ints, Bools]:
    """The sign of the averaged probability (I,), and where there is one (I,)."""
    known = ~np.isnan(judge.probability)
    return np.sign(np.nan_to_num(judge.probability, nan=0.5) - 0.5).astype(np.int8), known


def slices(project: Project, reading: Reading, judge: JudgeReading, sizes: Ints) -> list[dict[str, Any]]:
    """Agreement by the metadata's usual columns, and by the gap in length; slices of few items are left
    out.
    """
    metadata = dict(Instance.objects.of(project).values_list("pk", "metadata"))
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    gaps = np.abs(np.log2(sizes[:, 1] + 1.0) - np.log2(sizes[:, 0] + 1.0))
    for item, gap in enumerate(np.digitize(gaps, GAPS).tolist()):
        groups["length", LONGER[gap]].append(item)
    for item, pk in enumerate(reading.instance.tolist()):
        for column in SLICES:
            value = metadata[pk].get(column)
            if isinstance(value, str | int | bool):
                groups[column, str(value)].append(item)
    found = []
    for (column, value), items in sorted(groups.items()):
        inside = np.zeros(reading.n_items, dtype=bool)
        inside[items] = True
        figure = agreement.versus_majority(reading.table, judge.verdicts, judge.present & inside)
        if figure.n >= FEW:
            there = judge.present & inside
            kappa = agreement.kappa_majority(reading.table, judge.verdicts, there)
            found.append(
                {
                    "column": column,
                    "value": value,
                    "raw": told(figure.estimate(clusters=reading.prompt)),
                    "kappa": told(kappa.estimate(clusters=reading.prompt)),
                }
            )
    return found


# ---------------------------------------------------------------- biases


def position(aspect: Aspect, judge: JudgeReading) -> dict[str, Any]:
    """The bias towards the response shown first: in single orders, and what is left of it after averaging.

    `log_odds` is the mean over the pairs of half the sum of z(0 first) towards 0 and z(1 first) towards 1,
    the b that averaging cancels; `first_shown` the share of single verdicts for the first, `after` that of
    the averaged ones for response 0, which is ½ where the order in the import means nothing.
    """
    views = single_orders(aspect, judge.rater)
    towards = np.array([z for both in views.values() for z in both.values()])  # log-odds for the first shown
    both = np.array([sum(one.values()) / 2 for one in views.values() if len(one) == 2])
    averaged, known = averaged_verdicts(judge)
    decided = known & (averaged != 0)
    return {
        "first_shown": told(proportion(int((towards > 0).sum()), int((towards != 0).sum()))),
        "log_odds": told(mean_of(both)),
        "after": told(proportion(int((averaged[decided] < 0).sum()), int(decided.sum()))),
        "flips": told(flip_rate_of(judge.several & judge.present, judge.consistent)),
    }


def single_orders(aspect: Aspect, rater: int) -> dict[int, dict[int, float]]:
    """The log-odds for the response shown first, by instance and by that response's index."""
    labels = Label.objects.live().filter(aspect=aspect, rater=rater, score__isnull=False)
    views: dict[int, dict[int, float]] = defaultdict(dict)
    for instance, order, score in labels.exclude(order=[]).values_list("instance", "order", "score"):
        p = min(max(score, 1e-6), 1 - 1e-6)
        second = float(np.log(p) - np.log1p(-p))  # for response 1
        views[instance][order[0]] = second if order[0] == 1 else -second
    return views


def slopes(project: Project, reading: Reading, judge: JudgeReading, sizes: Ints) -> dict[str, Any]:
    """What a doubling of length is worth in log-odds, alone and beside the style counts, with people's own
    beside it.

    Style is the difference of log(1 + count) of list items, headers and bold spans, all in one regression.
    """
    items = np.flatnonzero(judge.present)
    if len(items) < FEW:
        return {}
    verdicts = chosen_verdicts(judge)[items]
    counts = style_of_responses(project)
    styles = np.array([style_gap(counts, reading, item) for item in items.tolist()])
    doubled = np.log2(sizes[items, 1] + 1.0) - np.log2(sizes[items, 0] + 1.0)
    fits = style_slopes(verdicts, np.column_stack([doubled, styles]), items=reading.prompt[items])
    people = slope_over_length(
        reading.verdicts,
        sizes[reading.items, 0],
        sizes[reading.items, 1],
        items=reading.prompt[reading.items],
    )
    alone = slope_over_length(verdicts, sizes[items, 0], sizes[items, 1], items=reading.prompt[items])
    named = dict(zip(("length_given_style", *STYLES), fits, strict=True))
    return {
        "length": told(alone),
        "length_of_people": told(people if len(reading.verdicts) else Estimate(None, 0)),
        **{name: told(fit) for name, fit in named.items()},
    }


def chosen_verdicts(judge: JudgeReading) -> Ints:
    """The averaged verdict where there are probabilities, else the folded one, (I,)."""
    averaged, known = averaged_verdicts(judge)
    return np.where(known, averaged, judge.verdicts).astype(np.int8)


def style_of_responses(project: Project) -> dict[tuple[int, int], list[float]]:
    rows = Response.objects.filter(instance__project=project).values_list("instance_id", "index", "text")
    return {(pk, index): np.log1p(style_counts(text)).tolist() for pk, index, text in rows.iterator()}


def style_gap(counts: dict[tuple[int, int], list[float]], reading: Reading, item: int) -> Floats:
    pk, (i, j) = int(reading.instance[item]), reading.pair[item].tolist()
    return np.array(counts[pk, j]) - np.array(counts[pk, i])


def self_preference(project: Project, reading: Reading, judge: JudgeReading) -> dict[str, Any] | None:
    """How much more often the judge prefers its own model's responses than people do (DBG), None where it
    wrote none.

    Over pairs of which exactly one response is its own: the share of its verdicts for its own less the
    share of people's (Chen et al. 2025, Beyond the Surface: difference from gold judgements); ties count
    half.
    """
    own = own_side(project, reading, model_names(project, judge))
    majority, strict = plurality(reading.table)
    compared = np.flatnonzero((own != 0) & judge.present & strict)
    if not len(compared):
        return None
    ours = (chosen_verdicts(judge)[compared] * own[compared] + 1) / 2
    theirs = (majority[compared] * own[compared] + 1) / 2
    return {"judge": float(ours.mean()), "people": float(theirs.mean()), "dbg": told(mean_of(ours - theirs))}


def own_side(project: Project, reading: Reading, names: set[str]) -> Ints:
    """-1 where only the pair's first response is by one of `names`, 1 where only its second is, else 0,
    (I,).
    """
    rows = Response.objects.filter(instance__project=project).values_list("instance_id", "index", "model")
    own = {(pk, index): plain_name(model) in names for pk, index, model in rows}
    pairs = zip(reading.instance.tolist(), reading.pair.tolist(), strict=True)
    return np.array([int(own[pk, j]) - int(own[pk, i]) for pk, (i, j) in pairs], dtype=int)


def model_names(project: Project, judge: JudgeReading) -> set[str]:
    """The names under which the judge's model may stand beside a response."""
    names = {judge.name, judge.name.split("/")[0]}
    versions = JudgeVersion.objects.filter(runs__project=project, runs__rater=judge.rater)
    for version in versions:
        for backend in version.spec["spec"]["backends"].values():
            names.add(str(backend["options"].get("model", "")).removeprefix("bundled:").split("/")[-1])
    return {plain_name(name) for name in names} - {""}


def plain_name(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


# ---------------------------------------------------------------- consistency


def transitivity(reading: Reading, judge: JudgeReading) -> dict[str, Any]:
    """Of the triples of responses to one prompt that the judge decided on all three pairs, the share that
    is a circle.
    """
    beats: dict[int, set[tuple[str, str]]] = defaultdict(set)
    texts = response_texts(reading)
    verdicts = chosen_verdicts(judge)
    for item in np.flatnonzero(judge.present & (verdicts != 0)):
        pk, (i, j) = int(reading.instance[item]), reading.pair[item].tolist()
        first, second = texts[pk, i], texts[pk, j]
        winner, loser = (second, first) if verdicts[item] > 0 else (first, second)
        beats[int(reading.prompt[item])].add((winner, loser))
    triples, circles = np.sum([count_triples(edges) for edges in beats.values()] or [(0, 0)], axis=0)
    return {"triples": int(triples), "circles": told(proportion(int(circles), int(triples)))}


def count_triples(edges: Iterable[tuple[str, str]]) -> tuple[int, int]:
    """(decided triples, circles among them) of a tournament's edges winner -> loser."""
    known = set(edges)
    nodes = sorted({node for edge in known for node in edge})
    triples = circles = 0
    for a, b, c in permutations(nodes, 3):
        if (a, b) in known and (b, c) in known:
            if (a, c) in known:
                triples += 1
            elif (c, a) in known and a < b and a < c:
                triples, circles = triples + 1, circles + 1
    return triples, circles


def response_texts(reading: Reading) -> dict[tuple[int, int], str]:
    """A name for each response that is the same for the same text."""
    rows = Response.objects.filter(instance__in=set(reading.instance.tolist()))
    return {
        (pk, index): str(hash(text)) for pk, index, text in rows.values_list("instance_id", "index", "text")
    }


# ---------------------------------------------------------------- calibration


def calibration(reading: Reading, judge: JudgeReading) -> dict[str, Any] | None:
    """Whether the averaged probabilities are true against every label of people, raw and after a
    cross-fitted repair.

    None for a judge without probabilities or too few labels to say.
    """
    p = judge.probability[reading.items]
    known = ~np.isnan(p)
    if known.sum() < ENOUGH_TO_CALIBRATE:
        return None
    p, y = p[known], (reading.verdicts[known] + 1) / 2
    prompts = reading.prompt[reading.items][known]
    method = fitted(len(p))
    repaired = cross_fitted(method, p, y, groups=prompts)
    bins = {name: values.tolist() for name, values in asdict(reliability(p, y)).items()}
    return {
        "n": int(known.sum()),
        "raw": trueness(p, y, prompts),
        "calibrator": method,
        "repaired": trueness(repaired, y, prompts),
        "bins": bins,
    }


def trueness(p: Floats, y: Floats, prompts: Ints) -> dict[str, Any]:
    slope, intercept = slope_and_intercept(p, y, clusters=prompts)
    return {
        "ece": ece(p, y),
        "ece_debiased": ece_debiased(p, y),
        "brier": brier(p, y),
        "slope": told(slope),
        "intercept": told(intercept),
    }


# ---------------------------------------------------------------- work


def work(project: Project, aspect: Aspect, rater: int) -> dict[str, Any]:
    """Cost and time an instance, failures, and the mean probability that lay on the verdict labels at all."""
    labels = Label.objects.live().filter(aspect=aspect, rater=rater)
    spent = labels.aggregate(
        cost=Sum("cost"), time=Sum("duration_ms"), n=Count("instance", distinct=True), confidence=Avg("score")
    )
    runs = JudgeRun.objects.filter(project=project, rater=rater)
    asked = runs.aggregate(failed=Sum("failed"), pairs=Sum("pairs"), seconds=Sum("seconds"))
    masses = [mass for mass in labels.values_list("detail__mass", flat=True)[:5000] if mass is not None]
    n = max(spent["n"], 1)
    return {
        "cost_an_instance": float(spent["cost"] or 0) / n,
        "seconds_an_instance": (spent["time"] or 0) / 1000 / n,
        "pairs_per_second": (asked["pairs"] or 0) / asked["seconds"] if asked["seconds"] else None,
        "failures": told(proportion(asked["failed"] or 0, (asked["failed"] or 0) + (asked["pairs"] or 0))),
        "mass_on_labels": float(np.mean(masses)) if masses else None,
    }


# ---------------------------------------------------------------- telling


def told(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON."""
    return asdict(estimate)


def mean_of(values: Floats, *, z: float = 1.959964) -> Estimate:
    """A mean with its normal interval."""
    if not len(values):
        return Estimate(None, 0)
    mean = float(values.mean())
    half = z * float(values.std(ddof=1)) / np.sqrt(len(values)) if len(values) > 1 else np.inf
    return (
        Estimate(mean, len(values), mean - half, mean + half)
        if np.isfinite(half)
        else Estimate(mean, len(values))
    )


def share_alike(pairs: Sequence[tuple[Any, Any]], alike: Callable[[Any, Any], bool]) -> Estimate:
    """The share of pairs that are alike."""
    return proportion(sum(alike(a, b) for a, b in pairs), len(pairs))


def judges_with_labels(aspect: Aspect) -> list[str]:
    """Names of the judges that have live labels on the aspect."""
    live = Label.objects.live().by_judges().filter(aspect=aspect)
    return sorted(Rater.objects.filter(pk__in=live.values("rater")).values_list("name", flat=True))
