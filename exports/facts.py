"""The facts of a dataset at a moment, from the ledger: what the manifest keeps and the card tells.

Everything here is counted, nothing is written by hand. A snapshot keeps the facts of its moment; a live export
takes them when it is made.
"""

from collections import Counter
from collections.abc import Iterable
from math import sqrt
from typing import Any

from django.db import connection
from django.db.models import Count, F, Func, Max, Sum, TextField, Value

from exports.names import shown_name
from exports.reading import Moment, parameters
from ledger.models import Aspect, Label, Rater
from quality.intervals import Estimate
from quality.panels import compare_judges, compare_people
from quality.reports import agreement_report
from routing.models import Decision, Preference, Route, Settlement
from routing.settling import PAIRED, SCORED

ASPECT_FIELDS = ("name", "task_type", "description", "settings")
MOST = 20  # of a list of reasons, raters or sources
Facts = dict[str, Any]


def facts_of(moment: Moment) -> Facts:
    """Project, protocol, settling, sources, routing, raters, agreement, costs, biases and licences."""
    project = moment.project
    return {
        "project": {"slug": project.slug, "name": project.name, "description": project.description},
        "currency": str(project.settings.get("currency", "$"))[:4],
        "protocol": protocol(moment),
        "settlement": settlement_facts(moment),
        "preferences": preference_facts(moment),
        "routing": routing_facts(moment),
        "raters": rater_facts(moment),
        "agreement": agreement_report(project)["aspects"],
        "costs": cost_facts(moment),
        "biases": bias_facts(moment),
        "leanings": leaning_facts(moment),
        "inputs": input_facts(moment),
    }


def protocol(moment: Moment) -> Facts:
    """How people were asked: aspects with their settings, overlap, and the guideline versions in use."""
    project = moment.project
    aspects = [
        {
            "name": a.name,
            "title": str(a),
            "task_type": a.task_type,
            "description": a.description,
            "settings": a.settings,
        }
        for a in moment.aspects
    ]
    used = Label.objects.filter(project=project).exclude(guideline=None)
    versions = used.values_list("guideline__number").annotate(n=Count("pk")).order_by("guideline__number")
    return {
        "template": project.template,
        "overlap": project.overlap,
        "aspects": aspects,
        "guidelines": {str(number): n for number, n in versions},
    }


def settlement_facts(moment: Moment) -> Facts:
    held = Settlement.objects.get(project=moment.project, number=moment.settlement)
    return {
        "number": held.number,
        "method": held.method,
        "at": held.created.isoformat(),
        "counts": held.counts,
    }


def settled(moment: Moment) -> Any:
    """The preferences of the moment."""
    held = Settlement(project=moment.project, number=moment.settlement)
    return Preference.objects.at(held).filter(aspect__in=moment.aspects)


def preference_facts(moment: Moment) -> Facts:
    """How many by outcome, by source, by route."""
    rows = settled(moment)
    return {
        key: dict(rows.values_list(key).annotate(n=Count("pk")).order_by(key))
        for key in ("outcome", "source", "route", "policy")
    }


def routing_facts(moment: Moment) -> Facts | None:
    """The route that stood, its policy's version, its shares and its commonest reasons; None without one."""
    held = Settlement.objects.get(project=moment.project, number=moment.settlement).route_id
    if held is None:
        return None
    route = Route.objects.select_related("judge").get(pk=held)
    decisions = Decision.objects.filter(route=route)
    reasons = (
        decisions.annotate(cause=CAUSE)
        .values_list("way", "cause")
        .annotate(n=Count("pk"))
        .order_by("-n", "way", "cause")[:MOST]
    )
    return {
        "policy": route.policy,
        "version": route.version,
        "seed": route.seed,
        "budget": route.budget,
        "target": route.target,
        "confidence": route.confidence,
        "judge": route.judge.name if route.judge else None,
        "expected_agreement": route.expected,
        "ways": dict(decisions.values_list("way").annotate(n=Count("pk")).order_by("way")),
        "audits": decisions.filter(audit=True).count(),
        "reasons": [{"way": way, "reason": reason, "instances": n} for way, reason, n in reasons],
    }


# A reason without its own figures, so that instances sent for one cause are counted together.
CAUSE = Func(
    F("reason"),
    Value(r"[0-9]+(\.[0-9]+)? ?%"),
    Value("…%"),
    Value("g"),
    function="regexp_replace",
    output_field=TextField(),
)


def rater_facts(moment: Moment) -> Facts:
    """How many raters of each kind, and each judge's labels and versions."""
    live = Label.objects.live().filter(project=moment.project)
    kinds = live.values_list("rater__kind").annotate(labels=Count("pk"), raters=Count("rater", distinct=True))
    judges = live.filter(rater__kind=Rater.Kind.JUDGE).values_list("rater__name", "version")
    return {
        "kinds": {
            kind: {"raters": raters, "labels": labels}
            for kind, labels, raters in kinds.order_by("rater__kind")
        },
        "judges": [
            {"name": shown_name(name), "version": version, "labels": n}
            for name, version, n in judges.annotate(n=Count("pk")).order_by("rater__name", "version")
        ],
    }


def cost_facts(moment: Moment) -> Facts:
    """What the labels cost and how long they took, by kind of rater."""
    live = Label.objects.live().filter(project=moment.project)
    rows = live.values_list("rater__kind").annotate(
        cost=Sum("cost"), ms=Sum("duration_ms"), timed=Count("duration_ms")
    )
    return {
        kind: {
            "cost": None if cost is None else float(cost),
            "hours": ms / 3_600_000 if ms else None,
            "timed_labels": timed,
        }
        for kind, cost, ms, timed in rows.order_by("rater__kind")
    }


BIAS_SQL = """
SELECT p.aspect_id, p.source, count(*), count(*) FILTER (WHERE length(c.text) > length(r.text)),
       count(*) FILTER (WHERE length(c.text) = length(r.text)), count(*) FILTER (WHERE p.chosen < p.rejected),
       avg(p.margin), avg(p.agreement), avg(least(p.probability, 1 - p.probability))
FROM routing_preference p
JOIN ledger_response c ON c.instance_id = p.instance_id AND c.index = p.chosen
JOIN ledger_response r ON r.instance_id = p.instance_id AND r.index = p.rejected
WHERE p.project_id = %(project)s AND p.aspect_id = ANY(%(aspects)s) AND p.outcome = 'preferred'
  AND p.since <= %(settlement)s AND (p.until IS NULL OR p.until > %(settlement)s)
GROUP BY p.aspect_id, p.source ORDER BY p.aspect_id, p.source
"""


def bias_facts(moment: Moment) -> list[Facts]:
    """For each aspect and source: the shares in which the longer and the first response was preferred."""
    names = {aspect.pk: aspect.name for aspect in moment.aspects}
    given = parameters(moment)
    with connection.cursor() as cursor:
        cursor.execute(BIAS_SQL, given)
        rows = cursor.fetchall()
    return [
        {
            "aspect": names[aspect],
            "source": source,
            "n": n,
            "longer_preferred": share(longer, n - equal),
            "first_preferred": share(first, n),
            "mean_margin": margin,
            "mean_agreement": agreement,
            "mean_flip": flip,
        }
        for aspect, source, n, longer, equal, first, margin, agreement, flip in rows
    ]


def leaning_facts(moment: Moment) -> dict[str, Facts]:
    """By aspect, of those that order responses: what people and each judge lean to beside the content.

    `length`: the log-odds that a response gains by being twice as long; `flips`: the share of instances judged in
    several orders whose verdict changes with the order; `first_shown`: the share of people's decided labels for
    what was shown first. Null where nothing tells.
    """
    return {
        aspect.name: leanings_on(aspect)
        for aspect in moment.aspects
        if aspect.task_type in (*PAIRED, *SCORED)
    }


def leanings_on(aspect: Aspect) -> Facts:
    found, people = compare_judges(aspect), compare_people(aspect)
    shown = [
        (row.first_shown.value, row.first_shown.n) for row in people if row.first_shown.value is not None
    ]
    told = sum(n for _, n in shown)
    return {
        "people": {
            "length": figure(found.one_person.length),
            "first_shown": sum(value * n for value, n in shown) / told if told else None,
            "first_shown_n": told,
        },
        "judges": {
            shown_name(row.name): {"length": figure(row.length), "flips": figure(row.flips)}
            for row in found.judges
        },
    }


def figure(estimate: Estimate | None) -> Facts | None:
    """{"value", "low", "high", "n"}; None where there is none."""
    if estimate is None or estimate.value is None:
        return None
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


INPUT_SQL = """
SELECT coalesce(metadata ->> 'source', ''), coalesce(metadata ->> 'licence', metadata ->> 'license', ''),
       coalesce(metadata ->> 'language', ''), count(*)
FROM ledger_instance WHERE project_id = %s GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3
"""


def input_facts(moment: Moment) -> Facts:
    """Where the instances come from, under which licences, in which languages, as their metadata say."""
    with connection.cursor() as cursor:
        cursor.execute(INPUT_SQL, [moment.project.pk])
        rows = cursor.fetchall()
    return {
        "instances": sum(row[3] for row in rows),
        "sources": most_common((row[0], row[3]) for row in rows),
        "licences": most_common((row[1], row[3]) for row in rows),
        "languages": most_common((row[2], row[3]) for row in rows),
        "last_import": latest(moment),
    }


def most_common(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for name, n in pairs:
        counted[name or "not stated"] += n
    return dict(counted.most_common(MOST))


def latest(moment: Moment) -> str | None:
    last = moment.project.instances.aggregate(last=Max("created"))["last"]
    return last.isoformat() if last else None


def flip_rate(agreement: float | None) -> float | None:
    """One person's chance of a flipped label, from how often two agree where neither ties.

    With independent flips at rate e two labels agree with a = (1 - e)^2 + e^2, so e = (1 - sqrt(2a - 1)) / 2
    (Angluin and Laird 1988's classification noise); None below chance or where it is unknown.
    """
    if agreement is None or agreement < 0.5:
        return None
    return (1 - sqrt(2 * agreement - 1)) / 2
