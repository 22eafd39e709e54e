"""The agreement figures as the command line and the API give them: plain numbers, null where undefined."""

from typing import Any

from ledger.models import Aspect, Project
from quality.bias import flip_rate_of
from quality.comparisons import AmongPeople, BesidePeople, among_people, averaged_verdicts, beside_people
from quality.intervals import Estimate
from quality.ratings import RATING, Scores, mean_order, people_scores, score_alpha, versus_mean_no_ties
from quality.readings import JudgeReading, Reading, read_aspect

Document = dict[str, Any]


def agreement_report(project: Project) -> Document:
    """Agreement on every aspect of the project, in the contract's terms."""
    return {"aspects": {aspect.name: aspect_report(aspect) for aspect in project.aspects.all()}}


def aspect_report(aspect: Aspect) -> Document:
    reading = read_aspect(aspect)
    scores = people_scores(aspect) if aspect.task_type == RATING else None
    return {
        "task_type": aspect.task_type,
        "human_human": people_document(among_people(reading), scores),
        "judges": {judge.name: judge_document(reading, judge, scores) for judge in reading.judges},
    }


def people_document(people: AmongPeople, scores: Scores | None) -> Document:
    interval = people.alpha_interval if scores is None else score_alpha(scores)
    figures = {
        "raw": people.raw,
        "no_ties": people.no_ties,
        "alpha_nominal": people.alpha_nominal,
        "alpha_interval": interval,
        "tie_rate": people.tie_rate,
        "one_against_others": people.one_person,
    }
    return {"n": people.raw.n, "labels": people.labels, "people": people.people, **document(figures)}


def judge_document(reading: Reading, judge: JudgeReading, scores: Scores | None) -> Document:
    compared = beside_people(reading, judge.verdicts, judge.present)
    report = compared_document(compared)
    report["flip"] = document({"rate": flip_rate_of(judge.several, judge.consistent)})
    verdicts, known = averaged_verdicts(judge)
    if known.any():
        report["averaged"] = compared_document(beside_people(reading, verdicts, known))
    if scores is not None:
        mean, ordered = mean_order(scores, reading)
        against = versus_mean_no_ties(judge, mean, ordered).estimate(clusters=reading.prompt)
        report["mean"] = document({"no_ties": against})
    return report


def compared_document(compared: BesidePeople) -> Document:
    return {
        "each": document({"raw": compared.each_raw, "no_ties": compared.each_no_ties}),
        "majority": document(
            {"raw": compared.majority_raw, "no_ties": compared.majority_no_ties, "kappa": compared.kappa}
        ),
    }


def document(figures: dict[str, Estimate]) -> Document:
    """The values by name, and beside them how many observations each rests on and its 95 % interval."""
    return {
        **{name: figure.value for name, figure in figures.items()},
        "counts": {name: figure.n for name, figure in figures.items()},
        "intervals": {name: [figure.low, figure.high] for name, figure in figures.items()},
    }
