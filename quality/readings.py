"""The votes on one aspect, laid out for statistics: items in a row, people's labels, each judge's verdicts.

An item is a pair of responses of one instance. A person counts once on it (a repeated presentation
checks the person); a judge's presentations are folded: orders that disagree are a tie.
"""

from dataclasses import dataclass

import numpy as np

from ledger.models import Aspect, Rater
from ledger.votes import Votes, read_votes, voting_labels
from quality.logistic import logit, sigmoid
from quality.verdicts import (
    TIE,
    Bools,
    Floats,
    Ints,
    consecutive,
    count_table,
    first_presentation,
    fold,
)


@dataclass(frozen=True, eq=False)
class JudgeReading:
    """One judge's verdicts, by item. All (I,)."""

    rater: int
    name: str
    present: Bools
    verdicts: Ints  # TIE where absent
    several: Bools  # judged in more than one order
    consistent: Bools  # in each order the same
    probability: Floats  # P(second preferred), the orders averaged in log-odds; nan where unknown


@dataclass(frozen=True, eq=False)
class Reading:
    """The votes on an aspect. I items, V votes of people (a label of n responses is a vote on each pair)."""

    aspect: Aspect
    instance: Ints  # (I,) ids
    pair: Ints  # (I, 2) response indices i < j
    prompt: Ints  # (I,) codes; intervals resample whole prompts
    labels: int  # by people; one of a single response orders no pair, and is counted all the same
    items: Ints  # (V,)
    raters: Ints  # (V,) ids
    verdicts: Ints  # (V,)
    first: Ints  # (V,) 0 or 1: which of the pair was shown first; -1 unknown
    table: Ints  # (I, 3) people's counts
    judges: list[JudgeReading]  # by name
    names: dict[int, str]  # of raters, by id

    @property
    def n_items(self) -> int:
        return len(self.instance)


def read_aspect(aspect: Aspect) -> Reading:
    """The aspect's live votes, as the ledger has them now."""
    return arrange(aspect, read_votes(aspect), prompts_of(aspect), labels=count_labels(aspect))


def prompts_of(aspect: Aspect) -> dict[int, str]:
    return dict(aspect.project.instances.values_list("pk", "prompt_hash"))


def count_labels(aspect: Aspect) -> int:
    return voting_labels(aspect).filter(rater__kind=Rater.Kind.PERSON).count()


def arrange(aspect: Aspect, votes: Votes, prompts: dict[int, str], *, labels: int) -> Reading:
    items, keys = consecutive(votes.instance, votes.pair[:, 0], votes.pair[:, 1])
    side = np.where(votes.first < 0, -1, (votes.first == votes.pair[:, 1]).astype(int))
    people = np.flatnonzero(votes.is_person)
    people = people[first_presentation(items[people], votes.rater[people], votes.label[people])]
    return Reading(
        aspect=aspect,
        instance=keys[:, 0],
        pair=keys[:, 1:],
        prompt=np.unique([prompts[pk] for pk in keys[:, 0]], return_inverse=True)[1],
        labels=labels,
        items=items[people],
        raters=votes.rater[people],
        verdicts=votes.verdict[people],
        first=side[people],
        table=count_table(items[people], votes.verdict[people], n_items=len(keys)),
        judges=read_judges(votes, items, side, n_items=len(keys)),
        names=votes.raters,
    )


def read_judges(votes: Votes, items: Ints, side: Ints, *, n_items: int) -> list[JudgeReading]:
    """Every judge's reading, by name."""
    raters = np.unique(votes.rater[~votes.is_person]).tolist()
    readings = [read_judge(votes, items, side, rater, n_items=n_items) for rater in raters]
    return sorted(readings, key=lambda reading: reading.name)


def read_judge(votes: Votes, items: Ints, side: Ints, rater: int, *, n_items: int) -> JudgeReading:
    ours = np.flatnonzero(votes.rater == rater)
    folded = fold(items[ours], votes.rater[ours], votes.verdict[ours], side[ours])
    present, several, consistent = (np.zeros(n_items, dtype=bool) for _ in range(3))
    verdicts = np.full(n_items, TIE, dtype=np.int8)
    present[folded.items] = True
    several[folded.items] = folded.orders > 1
    consistent[folded.items] = folded.consistent
    verdicts[folded.items] = folded.verdicts
    return JudgeReading(
        rater=rater,
        name=votes.raters[rater],
        present=present,
        verdicts=verdicts,
        several=several,
        consistent=consistent,
        probability=averaged(items[ours], votes.probability[ours], n_items=n_items),
    )


def averaged(items: Ints, probability: Floats, *, n_items: int) -> Floats:
    """The mean of each item's presentations in log-odds, so that a position bias cancels, (I,).

    nan where any presentation has none.
    """
    size = np.bincount(items, minlength=n_items)
    total = np.bincount(items, weights=logit(probability), minlength=n_items)
    known = (size > 0) & ~np.isnan(total)
    mean = np.full(n_items, np.nan)
    mean[known] = sigmoid(total[known] / size[known])
    return mean
