"""Whom to ask: each person's expected error by skill, over what their label costs.

A person's error is their disagreement with the plurality of the others on the same instances (`quality.skill`), drawn
towards everybody's with the weight of ten labels, so that a few lucky labels make nobody an expert. A label costs the
time it takes times the person's pay. What a label adds is how much more often the person than the judge says what
the others say; where that is not positive, their label is not worth asking for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import Avg

from ledger.models import Label, Member, Rater
from quality.skill import skills
from routing.loading import Loaded
from routing.pay import pay_of_member
from routing.table import Floats, Ints, Known

PRIOR_LABELS = 10.0
TOLD = 10  # labels beside others', from which on a person's worth is their own
SECONDS = 60.0  # of a label, where nobody's time is known


@dataclass(frozen=True, slots=True)
class Choice:
    """A person as a source of labels."""

    rater: int
    name: str
    compared: int
    error: float  # expected, drawn towards everybody's
    low: float  # 95 % interval of their own; 0…1 where nothing is known
    high: float
    pay: float  # an hour
    seconds: float  # a label
    worth: float  # gain in agreement over that of the judge, for a unit of money

    @property
    def price(self) -> float:
        return self.pay * self.seconds / 3600


def expected_errors(known: Known, size: int, n_raters: int) -> tuple[Floats, Ints, Floats, Floats]:
    """Each rater's expected error (R,), the labels it rests on (R,), and its own interval (R,), (R,)."""
    found = skills(known.instance, known.rater, known.verdict, table=known.counts(size), n_raters=n_raters)
    right = np.nan_to_num(found.majority) * found.compared
    everybody = (right.sum() + 1.4) / (found.compared.sum() + 2.0)
    agreement = (right + PRIOR_LABELS * everybody) / (found.compared + PRIOR_LABELS)
    low = np.where(found.compared > 0, 1 - found.high, 0.0)
    high = np.where(found.compared > 0, 1 - found.low, 1.0)
    return 1 - agreement, found.compared, low, high


def judges_agreement(loaded: Loaded) -> float:
    """How often the standing judge says what the plurality of people say, drawn towards 0.7."""
    table, known = loaded.table, loaded.people.known()
    heard, people = known.plurality(table.size)
    judged = heard & ~np.isnan(table.verdict[table.standing])
    return float(((people == table.ai)[judged].sum() + 0.7 * PRIOR_LABELS) / (judged.sum() + PRIOR_LABELS))


def choices(loaded: Loaded) -> list[Choice]:
    """Everybody who has labelled the aspect, whose labels are worth most for their money first."""
    people, project = loaded.people, loaded.project
    found = {rater.name: rater for rater in Rater.objects.people().filter(project=project)}
    members = {member.user_id: member for member in project.members.filter(status=Member.Status.ACTIVE)}
    error, compared, low, high = expected_errors(people.known(), loaded.table.size, len(people.names))
    times, judge = seconds_a_label(loaded), judges_agreement(loaded)
    made = []
    for place, name in enumerate(people.names):
        rater = found[name]
        pay = pay_of_member(project, members.get(rater.user_id) if rater.user_id else None)
        seconds = times.get(rater.pk, times.get(None, SECONDS))
        gain = (1 - float(error[place])) - judge
        price = pay * seconds / 3600
        made.append(
            Choice(
                rater=rater.pk,
                name=name,
                compared=int(compared[place]),
                error=float(error[place]),
                low=float(low[place]),
                high=float(high[place]),
                pay=pay,
                seconds=seconds,
                worth=gain / price if price > 0 else gain,
            )
        )
    return sorted(made, key=lambda choice: (-choice.worth, choice.name))


def seconds_a_label(loaded: Loaded) -> dict[int | None, float]:
    """The mean seconds of a label by rater, and under None everybody's."""
    timed = Label.objects.live().by_people().filter(project=loaded.project, aspect=loaded.aspect, repeat=0)
    timed = timed.exclude(duration_ms=None).order_by()
    rows = timed.values_list("rater").annotate(mean=Avg("duration_ms"))
    times: dict[int | None, float] = {rater: mean / 1000 for rater, mean in rows}
    if times:
        times[None] = float(np.mean(list(times.values())))
    return times


def shares(found: list[Choice]) -> dict[int, float]:
    """The part of the open work that each rater should have, summing to 1: by worth, none where it is not positive.

    Whoever has too few labels to tell gets the mean of those who are told, so that they can be known.
    """
    told = [max(choice.worth, 0.0) for choice in found if choice.compared >= TOLD]
    unknown = float(np.mean(told)) if told else 1.0
    weight = {
        choice.rater: max(choice.worth, 0.0) if choice.compared >= TOLD else unknown for choice in found
    }
    total = sum(weight.values())
    return {rater: each / total for rater, each in weight.items()} if total > 0 else {}
