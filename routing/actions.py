"""Routing's verbs: route, take a route back, settle."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from math import ceil
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from accounts.models import User
from accounts.rights import Role
from annotate.actions import add_open_work, reopen_all, replace_open_work
from annotate.quotas import Quota, done_by
from ledger.models import Aspect, Instance, Label, Member, Project, Rater
from ledger.project_settings import change_member_settings
from routing.arrivals import Decider, keep_decider, read_decider
from routing.loading import find_aspect, find_judge, judges_of, load, load_some
from routing.models import Decision, Preference, Route, Settlement
from routing.pacing import LOG_LENGTH, Pace, allowed_share, ascend, entry
from routing.planning import Plan, Request, plan
from routing.policies import POLICIES
from routing.progress import progress_of
from routing.raters import choices, shares
from routing.settling import PAIRED, SCORED, Consensus, Counted, read_method, settle_aspect
from routing.stale import labelled, mark_stale, write_unlabelled
from routing.table import Floats, Table

BATCH = 2000  # rows written at a time
SPARE = 1.25  # of a person's part of the open work


# ---------------------------------------------------------------- route


def route(
    project: Project, request: Request, *, author: User | None = None, at: datetime | None = None
) -> tuple[Route, Plan]:
    """Decides who labels what, writes a decision an instance, and replaces the open work of the last route.

    Lock: the project's row, so that two routes cannot both be live.
    """
    at = at or timezone.now()
    pace = pace_of(project, request, at)
    planned = plan(project, replace(request, room=pace.room(at, spent=pace.sunk)) if pace else request)
    with transaction.atomic():
        locked = Project.objects.select_for_update().get(pk=project.pk)
        Route.objects.live().filter(project=project).update(replaced=at)
        made = write_route(planned, pace=pace, author=author, at=at)
        locked.routed = project.routed = True
        locked.save(update_fields=["routed"])
        replace_open_work(project, planned.to_ask)
        keep_decider(made, planned)
    return made, planned


def pace_of(project: Project, request: Request, at: datetime) -> Pace | None:
    """The schedule of a budget that starts now; None where it is spent as fast as people work."""
    wanted = project.settings.get("pace")
    if not wanted or request.budget is None:
        return None
    sunk = Instance.objects.of(project).filter(labels__in=Label.objects.live().by_people()).distinct().count()
    cap = int(request.budget * project.instances.count() + 1e-9)
    return Pace(at, wanted["days"], cap, min(sunk, cap))


def write_route(planned: Plan, *, pace: Pace | None, author: User | None, at: datetime) -> Route:
    """The route's row and a decision for each instance."""
    request, loaded = planned.request, planned.loaded
    made = Route.objects.create(
        project=loaded.project,
        aspect=loaded.aspect,
        judge=loaded.judge,
        policy=planned.policy.name,
        version=planned.policy.version,
        parameters=planned.parameters
        | {"audit": request.audit}
        | ({"lots": planned.lots} if planned.lots else {})
        | ({"pace": pace.kept()} if pace else {})
        | {"prices": [priced(planned, pace, at)] if request.budget is not None else []},
        seed=request.seed,
        budget=request.budget,
        target=request.target,
        confidence=request.confidence if request.target is not None else None,
        expected=planned.expected,
        summary=planned.report(),
        author=author,
        created=at,
    )
    Decision.objects.bulk_create(decisions(made, planned), batch_size=BATCH)
    return made


def refresh(project: Project, *, at: datetime | None = None) -> int:
    """Decides again with the labels that have come, and for instances that have; how many decisions changed.

    The audit stays as it was drawn, new instances join it by the same chance, and a policy that does not learn
    keeps whom it chose. Each change is logged in its decision. Lock: the project's row.
    """
    at = at or timezone.now()
    live = Route.objects.live().filter(project=project).select_related("aspect", "judge").first()
    if live is None or live.budget is None:
        return 0
    planned = plan(project, renewed(live, at=at))
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        if not Route.objects.live().filter(pk=live.pk).exists():
            return 0
        changed = rewrite(live, planned, at)
        live.summary, live.expected = planned.report(), planned.expected
        line = priced(planned, held_pace(live), at)
        live.parameters["prices"] = [*live.parameters.get("prices", []), line][-LOG_LENGTH:]
        live.save(update_fields=["summary", "expected", "parameters"])
        replace_open_work(project, planned.to_ask)
        keep_decider(live, planned)
    return changed


def decide_arrivals(project: Project, instances: Sequence[int], *, at: datetime | None = None) -> int:
    """Decides on instances that have just come, from what the last full look learnt; how many it decided on.

    Only those that the standing judge has labelled: the others wait for the next full look, as all do where there
    is no decider. Lock: the project's row.
    """
    at = at or timezone.now()
    live = Route.objects.live().filter(project=project).select_related("aspect__project", "judge").first()
    decider = read_decider(live) if live is not None and live.budget is not None else None
    if live is None or decider is None or live.judge is None:
        return 0
    table = load_some(live.aspect, live.judge, judges=decider.judges, instances=instances)
    if table is None:
        return 0
    value = decider.value(table)
    judged = set(table.owner[~np.isnan(table.verdict[table.standing])].tolist())
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        held = set(live.decisions.filter(instance__in=instances).values_list("instance_id", flat=True))
        fresh = [place for place, pk in enumerate(table.instances) if place in judged and pk not in held]
        made = arrived(live, decider, table, value, fresh, at)
        Decision.objects.bulk_create(made)
        add_open_work(project, [each.instance_id for each in made if each.way == Decision.Way.HUMAN])
    return len(made)


def arrived(
    live: Route, decider: Decider, table: Table, value: Floats, fresh: list[int], at: datetime
) -> list[Decision]:
    """A decision for each place in `fresh`: by lot into the audit, else by its value and the shadow price."""
    human = live.decisions.filter(way=Decision.Way.HUMAN).count()
    total, share = live.project.instances.count(), float(live.parameters.get("audit", 0.0))
    price, due, made = decider.price(), float(live.budget or 0.0) * total, []
    for place in fresh:
        room = human + 1 <= due + 1e-9
        audit = room and drawn_for_audit(live, table.instances[place], share)
        asked = audit or (room and bool(value[place] >= price))
        human += asked
        share_now = allowed_share(float(live.budget or 0.0), spent=human, due=due)
        price = ascend(price, wanted=bool(value[place] >= price), allowed=share_now)
        made.append(
            Decision(
                route=live,
                instance_id=table.instances[place],
                way=Decision.Way.HUMAN if asked else Decision.Way.AI,
                gain=round(float(value[place]), 6),
                propensity=share if audit or not asked else 1.0,
                audit=audit,
                reason=arrival_reason(audit, asked, room),
                features={
                    "value": round(float(value[place]), 6),
                    "price": round(price, 6),
                    "at": at.isoformat(),
                },
            )
        )
    decider.move(price)
    return made


def arrival_reason(audit: bool, asked: bool, room: bool) -> str:
    """Why a new instance goes where it goes, until the next full look says more."""
    if audit:
        return "Drawn by lot for the audit on arrival."
    if asked:
        return "On arrival: worth more than the shadow price."
    return "On arrival: worth less than the shadow price." if room else "On arrival: the budget is used up."


def priced(planned: Plan, pace: Pace | None, at: datetime) -> dict[str, Any]:
    """A line of the log of prices: what a label must bring now, and how the spending stands to its schedule."""
    spent, cap = int((planned.human & planned.labelled).sum()), planned.cap
    return entry(at, planned.shadow, spent=spent, due=pace.due(at) if pace else float(cap), cap=cap)


def held_pace(live: Route) -> Pace | None:
    """The schedule of a live route, over the instances that there are by now."""
    held = live.parameters.get("pace")
    if not held or live.budget is None:
        return None
    return Pace.of(held, cap=int(live.budget * live.project.instances.count() + 1e-9))


def room_now(live: Route, at: datetime) -> int | None:
    """How many new instances the schedule leaves open until the next look; None without a schedule."""
    pace = held_pace(live)
    if pace is None:
        return None
    labelled = Label.objects.live().by_people().filter(project=live.project_id, aspect=live.aspect_id)
    return pace.room(at, spent=labelled.values("instance").distinct().count())


def renewed(live: Route, *, at: datetime) -> Request:
    """The request that a live route came from, with what must stay."""
    held = live.decisions.filter(way=Decision.Way.HUMAN)
    if POLICIES.load(live.policy).learns:
        held = held.filter(audit=True)
    share = float(live.parameters.get("audit", 0.0))
    keep, drawn = frozenset(held.values_list("instance_id", flat=True)), join_audit(live, share)
    return Request(
        policy=live.policy,
        seed=live.seed,
        budget=live.budget,
        judge=live.judge.name if live.judge else None,
        aspect=live.aspect.name,
        keep=keep | drawn,
        drawn=drawn,
        chance=share,
        room=room_now(live, at),
    )


def join_audit(live: Route, share: float) -> frozenset[int]:
    """Instances without a decision yet that join the audit, each by the chance `share`."""
    decided = live.decisions.values("instance_id")
    fresh = Instance.objects.of(live.project).exclude(pk__in=decided).order_by("pk")
    return frozenset(pk for pk in fresh.values_list("pk", flat=True) if drawn_for_audit(live, pk, share))


def drawn_for_audit(live: Route, instance: int, share: float) -> bool:
    """Whether a later instance joins the audit: a lot of its own, the same whenever it is looked at."""
    return bool(np.random.default_rng([live.seed, instance]).random() < share)


def rewrite(live: Route, planned: Plan, at: datetime) -> int:
    """Brings the route's decisions up to date; the number whose way changed or that are new."""
    old = {decision.instance_id: decision for decision in live.decisions.all()}
    fresh, changed, updated = [], 0, []
    for decision in decisions(live, planned):
        held = old.get(decision.instance_id)
        if held is None:
            fresh.append(decision)
            continue
        decision.pk, decision.audit, decision.propensity = held.pk, held.audit, held.propensity
        if held.way != decision.way:
            changed += 1
            log = [*held.features.get("log", []), {"at": at.isoformat(), "was": held.way}]
            decision.features = decision.features | {"log": log}
        elif "log" in held.features:
            decision.features = decision.features | {"log": held.features["log"]}
        updated.append(decision)
    fields = ["way", "gain", "rank", "reason", "features", "posterior"]
    Decision.objects.bulk_update(updated, fields, batch_size=BATCH)
    Decision.objects.bulk_create(fresh, batch_size=BATCH)
    return changed + len(fresh)


def decisions(made: Route, planned: Plan) -> list[Decision]:
    rank = {int(place): order for order, place in enumerate(planned.order)}
    return [
        Decision(
            route=made,
            instance_id=pk,
            way=Decision.Way.HUMAN if planned.human[place] else Decision.Way.AI,
            gain=round(float(planned.gain[place]), 6),
            rank=rank.get(place),
            propensity=round(float(planned.propensity[place]), 6),
            audit=bool(planned.audit[place]),
            reason=planned.reasons[place].text,
            features=planned.reasons[place].features,
            posterior=planned.posterior_of(place),
        )
        for place, pk in enumerate(planned.loaded.table.instances)
    ]


def take_back(project: Project, *, at: datetime | None = None) -> Route | None:
    """Ends the live route; every instance is open to people again. Labels stay. None where there was no route.

    Lock: the project's row.
    """
    with transaction.atomic():
        locked = Project.objects.select_for_update().get(pk=project.pk)
        live = Route.objects.live().filter(project=project).first()
        if live is None:
            return None
        live.replaced = at or timezone.now()
        live.save(update_fields=["replaced"])
        locked.routed = project.routed = False
        locked.save(update_fields=["routed"])
        reopen_all(project)
    return live


def share_work(project: Project, *, aspect: Aspect | None = None) -> dict[str, int]:
    """Shares the open work out by skill and pay: each active annotator's total quota, by name.

    A quota is what the annotator has done and their part of what is open (`routing.raters.shares`), with a quarter
    to spare so that nothing waits for somebody who has stopped. Raises what `load` refuses.
    """
    loaded = load(project, aspect=aspect.name if aspect else None)
    found = choices(loaded)
    part, open_ = shares(found), progress_of(project)["open"]
    raters = Rater.objects.people().filter(project=project, pk__in=[each.rater for each in found])
    users = dict(raters.values_list("user_id", "pk"))
    given: dict[str, int] = {}
    for member in project.members.filter(status=Member.Status.ACTIVE, role=Role.ANNOTATOR).select_related(
        "user"
    ):
        rater = users.get(member.user_id)
        if rater is None or not part:
            continue
        done = done_by(project, rater, Quota(total=1), at=timezone.now()).ever
        total = max(done + ceil(SPARE * part.get(rater, 0.0) * open_), 1)
        change_member_settings(member, {"quota": {**member.settings.get("quota", {}), "total": total}})
        given[str(member.user)] = total
    return given


def new_seed() -> int:
    """A seed for a route that names none; it is logged with the route."""
    return secrets.randbelow(2**31)


# ---------------------------------------------------------------- settle


@dataclass(frozen=True, slots=True)
class State:
    """What a settlement rests on; where it is unchanged, settling again writes nothing."""

    labels: int
    live: int
    instances: int
    ways: int | None


def settle(project: Project, *, method: str | None = None) -> Settlement:
    """The project's preferences, as the labels that count have them now.

    Only what changed is looked at, where the method lets each instance stand for itself, and only that is written.

    The method is `method`, else the standing one. Raises `UnknownName`.
    Lock: the project's row, so that settlements are numbered one after the other.
    """
    chosen = method or standing_method(project)
    read_method(chosen)
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        live = Route.objects.live().filter(project=project).select_related("aspect", "judge").first()
        state, watermark = read_state(project, live)
        last = Settlement.objects.filter(project=project).order_by("-number").first()
        if last is not None and same_state(last, live, chosen, state, watermark):
            return last
        number = last.number + 1 if last else 1
        aspects = settled_aspects(project)
        for aspect in aspects:
            settle_one(aspect, live, method=chosen, number=number)
        return Settlement.objects.create(
            project=project,
            route=live,
            method=chosen,
            number=number,
            watermark=watermark,
            counts=outcome_counts(project, aspects)
            | asdict(state)
            | {"asked": chosen != own_method(project)},
        )


def own_method(project: Project) -> str:
    """The project's setting `consensus`, else majority."""
    return str(project.settings.get("consensus") or "majority")


def standing_method(project: Project) -> str:
    """The method that somebody asked for at the last settlement, until it is settled by the project's own again."""
    last = Settlement.objects.filter(project=project).order_by("-number").first()
    return last.method if last is not None and last.counts.get("asked") else own_method(project)


def read_state(project: Project, live: Route | None) -> tuple[State, int]:
    found = Label.objects.filter(project=project).aggregate(
        n=Count("pk"), live=Count("pk", filter=Q(superseded=None)), last=Max("pk")
    )
    instances = project.instances.count()
    state = State(
        labels=found["n"], live=found["live"], instances=instances, ways=ways_stand(live) if live else None
    )
    return state, found["last"] or 0


WAYS_SQL = "SELECT coalesce(bit_xor(hashtextextended(way, instance_id)), 0) FROM routing_decision WHERE route_id = %s"


def ways_stand(live: Route) -> int:
    """A number that changes where the route sends an instance another way: an online route decides again."""
    with connection.cursor() as cursor:
        cursor.execute(WAYS_SQL, [live.pk])
        return int(cursor.fetchone()[0])


def same_state(last: Settlement, live: Route | None, method: str, state: State, watermark: int) -> bool:
    held = (last.route_id, last.method, last.watermark, *(last.counts.get(name) for name in asdict(state)))
    return held == (live.pk if live else None, method, watermark, *asdict(state).values())


def settled_aspects(project: Project) -> list[Aspect]:
    """The aspects that carry labels and order responses; the default one where none does."""
    labelled = set(Label.objects.filter(project=project).values_list("aspect_id", flat=True).distinct())
    orders = PAIRED + SCORED
    aspects = [a for a in project.aspects.all() if a.pk in labelled and a.task_type in orders]
    return aspects or ([find_aspect(project)] if project.aspects.exists() else [])


def standing_judge(aspect: Aspect, live: Route | None) -> Rater | None:
    """Whose label stands where nobody is asked: the route's judge where it labelled this aspect, else the default."""
    judges = judges_of(aspect)
    if live is not None and live.judge in judges:
        return live.judge
    return find_judge(aspect) if judges else None


def settle_one(aspect: Aspect, live: Route | None, *, method: str, number: int) -> None:
    """Writes the aspect's changed preferences under settlement `number`."""
    judge, how, policy = standing_judge(aspect, live), read_method(method), live.policy if live else ""
    some, empty = mark_stale(aspect, live, judge, how=how, method=method)
    if empty:
        write_unlabelled(aspect, how=how, method=method, policy=policy, number=number)
    pages: Iterable[list[int] | None] = [None] if some or empty else []
    if how.is_local(aspect):
        pages = pages_of(labelled())
    for page in pages:
        agreed = settle_aspect(aspect=aspect, route=live, judge=judge, method=method, instances=page)
        fresh = [
            as_preference(aspect, pk, held, consensus, policy=policy, method=method, number=number)
            for pk, (held, consensus) in agreed.items()
        ]
        write_changed(aspect, fresh, number, page)


def pages_of(instances: list[int]) -> Iterable[list[int]]:
    return (instances[start : start + BATCH] for start in range(0, len(instances), BATCH))


def outcome_counts(project: Project, aspects: list[Aspect]) -> dict[str, int]:
    """How many live preferences decide, tie or stay open: {"preferences", "ties", "undecided"}."""
    counts = {"preferences": 0, "ties": 0, "undecided": 0}
    live = Preference.objects.live().filter(project=project, aspect__in=aspects)
    for outcome, n in live.values_list("outcome").annotate(n=Count("pk")).order_by():
        counts[COUNTED[Preference.Outcome(outcome)]] += n
    return counts


COUNTED = {
    Preference.Outcome.PREFERRED: "preferences",
    Preference.Outcome.TIE: "ties",
    Preference.Outcome.BOTH_BAD: "ties",
    Preference.Outcome.UNDECIDED: "undecided",
}


def as_preference(
    aspect: Aspect,
    instance: int,
    held: Counted,
    consensus: Consensus,
    *,
    policy: str,
    method: str,
    number: int,
) -> Preference:
    return Preference(
        project_id=aspect.project_id,
        instance_id=instance,
        aspect=aspect,
        since=number,
        outcome=consensus.outcome,
        source=held.source,
        value=consensus.value,
        chosen=consensus.chosen,
        rejected=consensus.rejected,
        probability=consensus.probability,
        margin=consensus.margin,
        agreement=consensus.agreement,
        raters=[label.name for label in held.labels],
        labels=[label.pk for label in held.labels],
        route=held.way,
        policy=policy if held.way else "",
        method=method,
    )


COMPARED = (
    "outcome",
    "source",
    "value",
    "chosen",
    "rejected",
    "probability",
    "margin",
    "agreement",
    "raters",
    "labels",
    "route",
    "policy",
    "method",
)


def write_changed(
    aspect: Aspect, fresh: list[Preference], number: int, page: list[int] | None = None
) -> None:
    """Ends the live preferences that `fresh` changes and writes the new ones; `page` holds its instances, if some."""
    live = Preference.objects.live().filter(project=aspect.project_id, aspect=aspect)
    if page is not None:
        live = live.filter(instance__in=page)
    held = {row[0]: row[1:] for row in live.values_list("instance_id", *COMPARED)}
    changed = [
        row
        for row in fresh
        if held.get(row.instance_id) != tuple(plain(getattr(row, name)) for name in COMPARED)
    ]
    ended = [row.instance_id for row in changed if row.instance_id in held]
    for start in range(0, len(ended), BATCH):
        live.filter(instance__in=ended[start : start + BATCH]).update(until=number)
    Preference.objects.bulk_create(changed, batch_size=BATCH)


def plain(value: Any) -> Any:
    """A field as the database gives it back."""
    return str(value) if isinstance(value, Preference.Outcome | Preference.Source) else value


def preferences_by_source(project: Project) -> dict[str, int]:
    """How many live preferences rest on people, on the judge, on both."""
    rows = Preference.objects.live().filter(project=project).exclude(chosen=None)
    return dict(rows.values_list("source").annotate(n=Count("pk")).order_by())
