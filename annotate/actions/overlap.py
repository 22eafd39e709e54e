"""Open work follows what people have said: dynamic overlap."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db import transaction

from annotate.actions.closing import close_seats
from annotate.actions.ranking import follow_settings
from annotate.models import Seat
from annotate.onboarding.steps import apart_of
from annotate.overlap import Rule, best_of, rule_of
from ledger.models import Label, Project
from web.sql import prepared

BATCH = 1000  # instances locked and read at a time

LOCK = "SELECT id, size FROM ledger_instance WHERE id = ANY(%(instances)s) ORDER BY id FOR NO KEY UPDATE"

SAID = """
    SELECT l.instance_id, l.rater_id, CASE WHEN l.aspect_id = %(aspect)s THEN l.value::text END
    FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
    WHERE l.instance_id = ANY(%(instances)s) AND l.superseded IS NULL AND l.repeat = 0 AND r.kind = 'person'
"""

SEATS = """
    SELECT s.id, s.instance_id, s.slot, s.rank, s.status, a.rater_id, s.closing
    FROM annotate_seat s LEFT JOIN annotate_assignment a ON a.seat_id = s.id AND a.status = 'leased'
    WHERE s.instance_id = ANY(%(instances)s) ORDER BY s.slot
"""


@dataclass(slots=True)
class Asked:
    """An instance as the rule sees it."""

    size: int
    people: set[int] = field(default_factory=set)  # who has spoken
    answers: Counter[int] = field(default_factory=Counter)


def follow_overlap(project: Project, instance_ids: Sequence[int]) -> None:
    """Opens and closes seats at these instances by the project's rule; nothing without one.

    Lock: the instances' rows, so that of two people who submit at once the second counts the first.
    """
    rule = rule_of(project)
    if rule is None:
        return
    apart = set(apart_of(project))
    instance_ids = [pk for pk in instance_ids if pk not in apart]
    with transaction.atomic():
        values = {"instances": list(instance_ids), "aspect": rule.aspect.pk}
        asked = {pk: Asked(size) for pk, size in prepared(LOCK, values)}
        for instance, rater, value in prepared(SAID, values):
            asked[instance].people.add(rater)
            if value is not None:
                best = best_of(rule.aspect.task.votes(orjson.loads(value)), asked[instance].size)
                asked[instance].answers.update([] if best is None else [best])
        seats = defaultdict(list)
        for row in prepared(SEATS, values):
            seats[row[1]].append(row)
        opened = [
            instance
            for instance, state in asked.items()
            if fit_seats(project, rule, instance, state, seats[instance])
        ]
        if opened:
            follow_settings(project, opened)


def fit_seats(project: Project, rule: Rule, instance: int, state: Asked, rows: list[tuple[Any, ...]]) -> bool:
    """Makes the places that are not taken yet as many as the rule wants; whether it opened one.

    Whoever holds a seat keeps it; one that is no longer wanted closes when its holder lets go. In a routed
    project an instance whose seats are all closing, or that has none, was left to the judge.
    """
    if project.routed and all(row[6] for row in rows):
        return False
    voices = len(state.people)
    left = rule.wanted(state.answers, voices=voices, size=state.size) - voices
    held = [row[0] for row in rows if row[4] == Seat.Status.HELD and row[5] not in state.people]
    seats = [row[0] for row in rows if row[4] == Seat.Status.OPEN]
    Seat.objects.filter(pk__in=held).update(closing=left <= 0)
    spare = max(0, left - len(held))
    if seats[spare:]:
        close_seats(project, seats=seats[spare:])
    taken = {row[2] for row in rows}
    free = [slot for slot in range(rule.most) if slot not in taken][: spare - len(seats[:spare])]
    rank = min((row[3] for row in rows), default=instance)
    Seat.objects.bulk_create(
        [Seat(project_id=project.pk, instance_id=instance, slot=slot, rank=rank) for slot in free]
    )
    return bool(free)


def follow_overlap_everywhere(project: Project) -> None:
    """At every instance that people have labelled; nothing without a rule."""
    if not project.settings.get("overlap"):
        return
    labels = Label.objects.live().by_people().filter(project=project)
    instances = sorted(labels.order_by().values_list("instance", flat=True).distinct())
    for start in range(0, len(instances), BATCH):
        follow_overlap(project, instances[start : start + BATCH])
