"""How each person does on gold, and on what they judged before: computed anew from the ledger."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson

from annotate.alike import alike
from annotate.models import Standing
from ledger.models import Aspect, Rater
from quality.intervals import wilson
from web.sql import prepared

GOLD = """
    SELECT known.instance_id, known.aspect_id, known.value::text, given.value::text
    FROM ledger_label given
    JOIN ledger_label known ON known.instance_id = given.instance_id AND known.aspect_id = given.aspect_id
    JOIN ledger_rater key ON key.id = known.rater_id AND key.kind = 'gold'
    WHERE given.rater_id = %(rater)s AND given.superseded IS NULL AND given.repeat = 0
      AND known.superseded IS NULL AND (%(since)s::timestamptz IS NULL OR given.created > %(since)s)
"""

REPEATS = """
    SELECT first.instance_id, first.aspect_id, first.value::text, again.value::text
    FROM ledger_label again
    JOIN ledger_label first ON first.rater_id = again.rater_id AND first.instance_id = again.instance_id
      AND first.aspect_id = again.aspect_id AND first.repeat = 0 AND first.superseded IS NULL
    WHERE again.rater_id = %(rater)s AND again.superseded IS NULL AND again.repeat > 0
"""


def measure(rater: Rater, *, since: datetime | None) -> dict[str, Any]:
    """The figures of a `Standing`. An instance is one observation, met by the share of its aspects.

    Wilson's interval takes the shares' sum as successes, which is wider than it need be, as shares vary less
    than coins.
    """
    aspects = {aspect.pk: aspect for aspect in Aspect.objects.filter(project=rater.project_id)}
    values = {"rater": rater.pk, "since": since}
    figures: dict[str, Any] = {}
    for name, met, rows in (
        ("gold", "gold_met", prepared(GOLD, values)),
        ("repeats", "repeats_same", prepared(REPEATS, values)),
    ):
        shares = list(shares_met(rows, aspects))
        low, high = wilson(sum(shares), len(shares))
        figures |= {f"{name}_n": len(shares), met: sum(shares)}
        figures |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return figures


def shares_met(rows: Iterable[tuple[Any, ...]], aspects: dict[int, Aspect]) -> Iterable[float]:
    """For each instance the share of its aspects on which two answers are alike."""
    shares: dict[int, list[float]] = defaultdict(list)
    for instance, aspect, known, given in rows:
        shares[instance].append(alike(aspects[aspect], orjson.loads(known), orjson.loads(given)))
    return [sum(found) / len(found) for found in shares.values()]


def standings_by_rater(project_id: int) -> dict[int, Standing]:
    """The standing of each person who has one, for the dashboard; by the rater's id."""
    return {each.rater_id: each for each in Standing.objects.filter(rater__project=project_id)}
