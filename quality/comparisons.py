"""People among themselves, and each judge beside them: the figures of one aspect."""

from dataclasses import dataclass

import numpy as np

from quality import agreement
from quality.intervals import Estimate, Statistic
from quality.readings import JudgeReading, Reading
from quality.verdicts import Bools, Ints


@dataclass(frozen=True, slots=True)
class AmongPeople:
    """How people agree: `raw` over pairs of votes on one item, `one_person` against the others' majority."""

    labels: int
    people: int
    raw: Estimate
    no_ties: Estimate
    alpha_nominal: Estimate
    alpha_interval: Estimate
    tie_rate: Estimate
    one_person: Estimate


@dataclass(frozen=True, slots=True)
class BesidePeople:
    """How one rater agrees with people."""

    each_raw: Estimate
    each_no_ties: Estimate
    majority_raw: Estimate
    majority_no_ties: Estimate
    kappa: Estimate


def among_people(reading: Reading) -> AmongPeople:
    table = reading.table

    def figure(statistic: Statistic) -> Estimate:
        return statistic.estimate(clusters=reading.prompt)

    return AmongPeople(
        labels=reading.labels,
        people=len(np.unique(reading.raters)),
        raw=figure(agreement.raw(table)),
        no_ties=figure(agreement.no_ties(table)),
        alpha_nominal=figure(agreement.alpha(table)),
        alpha_interval=figure(agreement.alpha(table, metric="interval")),
        tie_rate=figure(agreement.tie_rate(table)),
        one_person=figure(
            agreement.one_against_others(reading.items, reading.verdicts, n_items=len(table), table=table)
        ),
    )


def beside_people(reading: Reading, verdicts: Ints, present: Bools) -> BesidePeople:
    """verdicts, present: (I,)."""

    def figure(statistic: Statistic) -> Estimate:
        return statistic.estimate(clusters=reading.prompt)

    table = reading.table
    return BesidePeople(
        each_raw=figure(agreement.versus_each(table, verdicts, present)),
        each_no_ties=figure(agreement.versus_each_no_ties(table, verdicts, present)),
        majority_raw=figure(agreement.versus_majority(table, verdicts, present)),
        majority_no_ties=figure(agreement.versus_majority_no_ties(table, verdicts, present)),
        kappa=figure(agreement.kappa_majority(table, verdicts, present)),
    )


def averaged_verdicts(judge: JudgeReading) -> tuple[Ints, Bools]:
    """The verdicts that the orders' mean log-odds imply, (I,), and where there are any, (I,)."""
    known = judge.present & ~np.isnan(judge.probability)
    return np.sign(np.where(known, judge.probability, 0.5) - 0.5).astype(np.int8), known
