"""Why instances go to people: a route's reasons, cause by cause, those that differ in figures only taken together."""

import re
from dataclasses import dataclass

from django.db.models import CharField, Count, F, Func, QuerySet, Value

from routing.models import Decision, Route

FIGURE = re.compile(r"\d+(?:[.,]\d+)?")
HOLE = "…"
AUDIT = "audit"
MOST = 6


@dataclass
class Why:
    """A reason as a sentence with the range of its figures, and how many instances it sends to people."""

    sentence: str
    skeleton: str
    instances: int
    share: float


def with_reason(decisions: QuerySet[Decision], skeleton: str) -> QuerySet[Decision]:
    """Those of `decisions` for this cause, whatever its figures; random audits where it is AUDIT."""
    if skeleton == AUDIT:
        return decisions.filter(audit=True)
    bare = Func(
        F("reason"),
        Value(r"\d+([.,]\d+)?"),
        Value(HOLE),
        Value("g"),
        function="regexp_replace",
        output_field=CharField(),
    )
    return decisions.annotate(skeleton=bare).filter(skeleton__contains=skeleton, audit=False)


def reasons_of(route: Route) -> list[Why]:
    """The live reasons, the most frequent first; random audits are one of their own.

    A reason of the form `why: cause, cause.` counts for each of its causes, so that shares can add up to more
    than one.
    """
    sent = Decision.objects.filter(route=route, way__in=(Decision.Way.HUMAN, Decision.Way.BOTH))
    groups: dict[str, tuple[int, list[list[str]]]] = {}
    total = 0
    for reason, audit, count in sent.values_list("reason", "audit").annotate(n=Count("pk")).order_by():
        total += count
        for cause in [AUDIT] if audit else causes(reason):
            key = FIGURE.sub(HOLE, cause)
            number, figures = groups.get(key, (0, []))
            groups[key] = (number + count, [*figures, FIGURE.findall(cause)])
    found = [Why(filled(key, figures), key, count, count / total) for key, (count, figures) in groups.items()]
    return sorted(found, key=lambda why: (-why.instances, why.sentence))[:MOST]


def causes(reason: str) -> list[str]:
    """The causes that a reason names, else the reason itself.

    >>> causes("88% chance that a person differs: other judges disagree, the judge sees a tie.")
    ['other judges disagree', 'the judge sees a tie']
    """
    _head, colon, tail = reason.partition(": ")
    return tail.rstrip(".").split(", ") if colon else [reason]


def filled(key: str, figures: list[list[str]]) -> str:
    """The sentence with each hole as a figure, or as the range of its figures."""
    if key == AUDIT:
        return "Drawn at random as an audit, to keep every figure honest."
    parts = key.split(HOLE)
    spans = [span(column) for column in zip(*figures, strict=True)]
    return "".join(text + (spans[place] if place < len(spans) else "") for place, text in enumerate(parts))


def span(column: tuple[str, ...]) -> str:
    low, high = min(column, key=as_number), max(column, key=as_number)
    return low if low == high else f"{low}–{high}"


def as_number(figure: str) -> float:
    return float(figure.replace(",", "."))
