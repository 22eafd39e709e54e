"""What a route would do, before anything is written: a pure reading of the ledger."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ledger.models import Project
from routing.expectation import expected_agreement
from routing.loading import Loaded, judge_price, load
from routing.models import Route
from routing.pacing import clearing_price
from routing.pay import expected_pay
from routing.pilots import PRECISION, pilot_size
from routing.policies import POLICIES
from routing.policies.base import Policy, Ranking, Reason, choose
from routing.policies.guarantee import Guarantee, Lots, draw_lots
from routing.problems import BadBudget, BadTarget, ReplayOnly
from routing.repair import with_repaired
from routing.table import Floats, Ints, Mask

CONFIDENCE = 0.95
AUDIT = 0.05  # of the new work, drawn by lot, so that figures stay honest
TARGET_STEPS = 20  # budgets tried for a target


@dataclass(frozen=True, slots=True)
class Request:
    """What the admin asks for: a policy, and a budget (share of all instances) or a target agreement."""

    policy: str
    seed: int
    budget: float | None = None
    target: float | None = None
    confidence: float = CONFIDENCE
    judge: str | None = None
    aspect: str | None = None
    audit: float = 0.0
    keep: frozenset[int] = frozenset()  # instances that stay with people: the audit under way
    drawn: frozenset[int] = frozenset()  # of those, the instances that a lot has just sent there …
    chance: float = 0.0  # … by this chance
    room: int | None = None  # new instances that may be open now, where the budget is paced


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A route that is not written yet. Arrays are by instance of `loaded.table.instances`, (N,)."""

    request: Request
    loaded: Loaded
    policy: Policy
    size: int  # all instances of the project, also those that cannot be routed
    human: Mask
    labelled: Mask
    audit: Mask
    gain: Floats
    propensity: Floats
    reasons: list[Reason]
    order: Ints  # the human-routed instances by falling gain
    expected: dict[str, float]
    posterior: Floats | None = None
    value: Floats | None = None  # gain over price, where the policy's gain is one to be weighed
    shadow: float = 0.0  # the least value of an instance that is asked now
    parameters: dict[str, Any] = field(default_factory=dict)
    lots: dict[str, list[int]] | None = None

    @property
    def cap(self) -> int:
        """Human labels that the budget allows; with a target, those that it came to."""
        if self.request.budget is None:
            return int(self.human.sum())
        return int(math.floor(self.request.budget * self.size + 1e-9))

    @property
    def to_ask(self) -> list[int]:
        """The instances to enqueue, in order: human-routed and without a human label yet."""
        instances = self.loaded.table.instances
        return [instances[place] for place in self.order if not self.labelled[place]]

    @property
    def cost(self) -> float:
        """What the people who are still to be asked cost, in the project's currency."""
        return float(owner_prices(self.loaded)[self.human & ~self.labelled].sum())

    def posterior_of(self, place: int) -> list[float] | None:
        return None if self.posterior is None else [round(float(p), 6) for p in self.posterior[place]]

    def report(self) -> dict[str, Any]:
        """The contract's report of `route`."""
        human, already = int(self.human.sum()), int((self.human & self.labelled).sum())
        return {
            "policy": self.policy.name,
            "human": human,
            "ai": self.size - human,
            "already_human": already,
            "enqueued": human - already,
            "expected_agreement": self.expected,
            "cost": round(self.cost, 2),
            "judge_cost": round(float(judge_costs(self.loaded).sum()), 4),
            "shadow_price": round(self.shadow, 6),
            "pilot": pilot_advice(self.loaded, self.labelled),
            **self.parameters,
        }


def check_request(request: Request) -> None:
    """Refuses what cannot be asked for, before anything is read."""
    policy = POLICIES.load(request.policy)
    if policy.replay_only:
        raise ReplayOnly(f"{request.policy!r} knows the answers, so it exists in replay only.")
    if (request.budget is None) == (request.target is None):
        raise BadBudget("Give either a budget or a target agreement.")
    if request.budget is not None:
        check_share("budget", request.budget)
    if request.target is not None:
        check_target(request)


def check_share(name: str, value: float) -> None:
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise BadBudget(f"The {name} must be a share in 0…1, not {value}.", **{name: value})


def check_target(request: Request) -> None:
    target, confidence = request.target, request.confidence
    if target is None or not (math.isfinite(target) and 0 < target < 1):
        raise BadTarget(f"The target agreement must lie between 0 and 1, not {target}.")
    if not (math.isfinite(confidence) and 0.5 <= confidence < 1):
        raise BadTarget(f"The confidence must be in 0.5…1, not {confidence}.")


def plan(project: Project, request: Request) -> Plan:
    """The route that `request` asks for. Raises what `load` and `check_request` refuse."""
    check_request(request)
    loaded = load(project, aspect=request.aspect, judge=request.judge)
    if request.policy != Guarantee.name:  # a promise holds its lots against scores that no label has touched
        loaded = with_repaired(loaded)
    if request.target is None:
        return plan_budget(loaded, request)
    if request.policy == Guarantee.name:
        return plan_promise(loaded, request, request.target)
    return plan_expected(loaded, request, request.target)


def plan_expected(loaded: Loaded, request: Request, target: float) -> Plan:
    """The smallest budget at which the expected agreement's lower end reaches the target."""
    for step in range(TARGET_STEPS + 1):
        planned = plan_budget(loaded, replace(request, budget=step / TARGET_STEPS))
        if planned.expected["low"] >= target:
            return replace(planned, request=request, parameters={"budget": step / TARGET_STEPS})
    raise BadTarget(
        f"An agreement of {target:g} is out of reach: with people everywhere {planned.expected['mean']:.3f} is "
        f"expected ({planned.expected['low']:.3f} at least). Collect more labels, or aim lower.",
        expected=planned.expected,
    )


def plan_promise(loaded: Loaded, request: Request, target: float) -> Plan:
    """What the audit under way promises; first of all the audit itself. A second route goes on with its lots."""
    table, known = loaded.table, loaded.people.known()
    if len(table.instances) != table.size:
        raise BadTarget("A promise is about pairs: route an aspect that compares two responses.")
    held = lots_under_way(loaded) or draw_lots(table.size, rng=np.random.default_rng(request.seed))
    policy = Guarantee(target=target, confidence=request.confidence, lots=held)
    ranking = policy.rank(table, known, cap=table.size, rng=np.random.default_rng(request.seed))
    human, audit = ranking.worth.copy(), np.zeros(table.size, dtype=bool)
    human[held.all], audit[held.audit] = True, True
    size = loaded.project.instances.count()
    places = {"pilot": held.pilot, "audit": held.audit}
    return Plan(
        request=request,
        loaded=loaded,
        policy=policy,
        size=size,
        human=human,
        labelled=known.asked(table.size),
        audit=audit,
        gain=ranking.gain,
        propensity=np.where(human & ~audit, 1.0, len(held.all) / table.size),
        reasons=reasons(loaded, policy, ranking),
        order=by_falling_gain(human, ranking),
        expected=expected_agreement(loaded, human, seed=request.seed),
        parameters={"promise": promised(policy, held, known.asked(table.size))},
        lots={name: [table.instances[place] for place in part] for name, part in places.items()},
    )


def lots_under_way(loaded: Loaded) -> Lots | None:
    """The lots of the project's last `guarantee` route on this aspect and judge, where all are still there."""
    last = (
        Route.objects.filter(project=loaded.project, aspect=loaded.aspect, judge=loaded.judge)
        .filter(policy=Guarantee.name, parameters__has_key="lots")
        .order_by("-created")
        .first()
    )
    if last is None:
        return None
    place = {pk: row for row, pk in enumerate(loaded.table.instances)}
    parts = [[place.get(pk, -1) for pk in last.parameters["lots"][name]] for name in ("pilot", "audit")]
    if any(-1 in part for part in parts):
        return None
    return Lots(pilot=np.array(parts[0], dtype=np.int64), audit=np.array(parts[1], dtype=np.int64))


def promised(policy: Guarantee, held: Lots, labelled: Mask) -> dict[str, Any]:
    """The promise as plain data, or how far its audit is."""
    missing = int((~labelled[held.all]).sum())
    if policy.made is None:
        text = (
            f"{missing} randomly drawn instances are to be labelled first; then route again for the promise."
        )
        return {"kept": False, "waiting": missing, "sentence": text}
    made = policy.made
    return {
        "kept": made.kept,
        "waiting": 0,
        "sentence": made.sentence(),
        "target": made.target,
        "confidence": made.confidence,
        "accepted": int(made.accepted.sum()),
        "audited": made.audited,
        "agreed": made.agreed,
        "needed": made.needed,
    }


def by_falling_gain(human: Mask, ranking: Ranking) -> Ints:
    """The human-routed instances, the most gainful first."""
    order = np.flatnonzero(human)
    falling: Ints = order[np.argsort(-ranking.gain[order], kind="stable")]
    return falling


def plan_budget(loaded: Loaded, request: Request) -> Plan:
    """The best instances that the budget allows. Existing human labels count against it."""
    rng = np.random.default_rng(request.seed)
    policy: Policy = POLICIES.load(request.policy)()
    table, known = loaded.table, loaded.people.known()
    size = loaded.project.instances.count()
    cap = int(math.floor((request.budget or 0.0) * size + 1e-9))
    ranking = by_owner(loaded, policy.rank(table, known, cap=cap, rng=rng))
    labelled = owner_mask(loaded, known.asked(table.size))
    kept = np.isin(table.instances, list(request.keep))
    value, ranking = weighed(loaded, policy, ranking)
    human, audit, propensity = pick(
        policy, ranking, labelled, cap=cap, audit=request.audit, kept=kept, most=request.room, rng=rng
    )
    joined = np.isin(table.instances, list(request.drawn))
    audit, propensity = audit | joined, np.where(joined, request.chance, propensity)
    return Plan(
        request=request,
        loaded=loaded,
        policy=policy,
        size=size,
        human=human,
        labelled=labelled,
        audit=audit,
        gain=ranking.gain,
        propensity=propensity,
        reasons=reasons(loaded, policy, ranking),
        order=by_falling_gain(human, ranking),
        expected=expected_agreement(loaded, human, seed=request.seed),
        posterior=owner_posterior(loaded, policy),
        value=value,
        shadow=shadow_price(value, ranking.worth & ~labelled & ~audit, human),
    )


def weighed(loaded: Loaded, policy: Policy, ranking: Ranking) -> tuple[Floats, Ranking]:
    """The value of asking (N,), gain over price where the policy's gain is one to be weighed, and the ranking by it."""
    if not policy.priced:
        return ranking.gain, ranking
    price = relative(whole_prices(loaded))
    return ranking.gain / price, ranking.over(price)


def shadow_price(value: Floats, open_: Mask, human: Mask) -> float:
    """The price at which as many of the open instances are asked as were chosen; 0 where all of them were."""
    return clearing_price(value[open_], int((open_ & human).sum()))


def relative(prices: Floats) -> Floats:
    """Prices over their mean, so that values keep the gain's scale."""
    mean = float(prices.mean()) if len(prices) else 0.0
    return prices / mean if mean > 0 else np.ones(len(prices))


def judge_costs(loaded: Loaded) -> Floats:
    """What the standing judge's label costs at each instance that it has not judged yet, as its others did (N,)."""
    table = loaded.table
    missing = owner_mask(loaded, np.isnan(table.verdict[table.standing]))
    if not missing.any():
        return np.zeros(len(missing))
    return missing * judge_price(loaded.aspect, loaded.judge)


def whole_prices(loaded: Loaded) -> Floats:
    """What a settled verdict costs at each instance where a person is asked (N,): their time, and the judge's label
    where it is still to be bought, since the two are weighed together. Without pay every instance costs the same.
    """
    people = owner_prices(loaded)
    return people + judge_costs(loaded) if expected_pay(loaded.project) > 0 else people


def pilot_advice(loaded: Loaded, labelled: Mask) -> dict[str, Any]:
    """How many instances a pilot by lot needs for the wanted precision, and how many carry a person's label."""
    wanted = float(loaded.project.settings.get("precision", PRECISION))
    population = len(labelled)
    return {
        "recommended": pilot_size(population, precision=wanted),
        "labelled": int(labelled.sum()),
        "precision": wanted,
    }


def pick(
    policy: Policy,
    ranking: Ranking,
    labelled: Mask,
    *,
    cap: int,
    audit: float,
    kept: Mask,
    most: int | None,
    rng: np.random.Generator,
) -> tuple[Mask, Mask, Floats]:
    """Who goes to people, who of them by lot, and with what chance each went there: three arrays (N,).

    What is `kept` (N,) stays; labels that exist are spent money and come next, then the best of the rest, at most
    `most`; of the room that is left a share `audit` is drawn by lot from all that are still open, to keep later
    estimates honest.
    """
    human = kept.copy()
    sunk = Ranking(gain=ranking.gain, worth=ranking.worth & labelled, score=ranking.gain)
    human[choose(sunk, chosen=human, room=cap - int(kept.sum()), rng=rng)] = True
    room = max(cap - int(human.sum()), 0)
    room = room if most is None else min(room, max(most - int((human & ~labelled).sum()), 0))
    lots = min(int(round(audit * room)), room) if policy.audited else 0
    human[choose(ranking, chosen=human | labelled, room=room - lots, rng=rng)] = True
    open_ = np.flatnonzero(~human & ~labelled)
    drawn = rng.choice(open_, size=min(lots, len(open_)), replace=False)
    audited = np.zeros(len(labelled), dtype=bool)
    audited[drawn] = True
    propensity = np.where(human, 1.0, len(drawn) / max(len(open_), 1))
    if policy.by_lot and not labelled.any():
        propensity = np.full(len(labelled), cap / max(len(labelled), 1))
    return human | audited, audited, propensity


def by_owner(loaded: Loaded, ranking: Ranking) -> Ranking:
    """Gains of pairs as mean gains of their instances; an instance is worth asking where any pair is."""
    owner, size = loaded.table.owner, len(loaded.table.instances)
    count = np.maximum(np.bincount(owner, minlength=size), 1)
    gain = np.bincount(owner, weights=ranking.gain, minlength=size) / count
    worth = owner_mask(loaded, ranking.worth)
    if ranking.score is None:
        return Ranking(gain=gain, worth=worth)
    score = np.bincount(owner, weights=ranking.score, minlength=size) / count
    return replace(ranking, gain=gain, worth=worth, score=score)


def owner_mask(loaded: Loaded, pairs: Mask) -> Mask:
    mask = np.zeros(len(loaded.table.instances), dtype=bool)
    mask[loaded.table.owner[pairs]] = True
    return mask


def owner_prices(loaded: Loaded) -> Floats:
    """What a person costs at each instance: its dearest pair, since responses are read once (N,)."""
    prices = np.zeros(len(loaded.table.instances))
    np.maximum.at(prices, loaded.table.owner, loaded.table.price)
    return prices


def first_pair(loaded: Loaded) -> Ints:
    """The first pair of each instance (N,)."""
    _, first = np.unique(loaded.table.owner, return_index=True)
    return first


def reasons(loaded: Loaded, policy: Policy, ranking: Ranking) -> list[Reason]:
    """One reason an instance, from its first pair."""
    table, known = loaded.table, loaded.people.known()
    pairs = Ranking(gain=ranking.gain[table.owner], worth=ranking.worth[table.owner])
    return policy.explain(table, known, pairs, first_pair(loaded))


def owner_posterior(loaded: Loaded, policy: Policy) -> Floats | None:
    """P(first, tie, second) of pairwise instances where the policy fuses (N, 3)."""
    if not policy.fuses or loaded.aspect.task_type != "pairwise":
        return None
    return policy.settle(loaded.table, loaded.people.known())
