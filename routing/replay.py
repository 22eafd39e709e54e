"""What policies would have done on a project whose human labels are there already.

Human labels are revealed only where a policy routes; everything is fitted on what was revealed. In each seed one
human label of every pair is drawn, the same for all policies: it is what asking there brings, and the gold is
what the other people say.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import Generator

from routing.policies import POLICIES
from routing.policies.base import Policy, choose, verdicts_of
from routing.policies.oracle import NO_GOLD, Oracle
from routing.table import Floats, Ints, Known, Mask, People, Reveal, Table

RESAMPLES = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A seed's world: the label that asking brings (n,), by whom (n,), and the gold (n,), `NO_GOLD` without."""

    label: Ints
    rater: Ints
    gold: Ints


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where a policy stands at one budget: who was asked, its final verdicts (n,), and where it says so P(a fresh
    person differs from the judge) (n,)."""

    routed: Mask
    settled: Ints
    differs: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One policy in one seed: a state at each budget, and the policy as it was at the last one."""

    policy: str
    seed: int
    draw: Draw
    states: list[State]
    fitted: Policy


def replayable(table: Table, people: People) -> tuple[Table, People]:
    """The pairs that carry a verdict of the standing judge and a human label, and those labels."""
    held = np.zeros(table.size, dtype=bool)
    held[people.pair] = True
    keep = np.flatnonzero(held & ~np.isnan(table.verdict[table.standing]))
    code = np.full(table.size, -1, dtype=np.int64)
    code[keep] = np.arange(len(keep))
    kept = code[people.pair] >= 0
    narrowed = replace(
        people,
        pair=code[people.pair][kept],
        rater=people.rater[kept],
        verdict=people.verdict[kept],
        scores=people.scores[kept],
    )
    return take(table, keep), narrowed


def take(table: Table, keep: Ints) -> Table:
    """The table's rows `keep`."""
    return replace(
        table,
        ids=tuple(table.ids[row] for row in keep),
        prompt=table.prompt[keep],
        pair=table.pair[keep],
        verdict=table.verdict[:, keep],
        probability=table.probability[:, keep],
        consistent=table.consistent[:, keep],
        margin=None if table.margin is None else table.margin[:, keep],
        spread=None if table.spread is None else table.spread[:, keep],
        price=table.price[keep],
        owner=table.owner[keep],
        slices=None if table.slices is None else table.slices[keep],
        matching=None if table.matching is None else table.matching[keep],
        cache={},
    )


def draw(people: People, size: int, *, rng: Generator) -> Draw:
    """One label a pair at random, and the gold of the others (strict plurality; means where rated)."""
    order = np.lexsort((rng.random(len(people.pair)), people.pair))
    pair = people.pair[order]
    first = np.r_[True, pair[1:] != pair[:-1]]
    drawn, rest = order[first], order[~first]
    label, rater = np.zeros(size, dtype=np.int64), np.full(size, -1, dtype=np.int64)
    label[people.pair[drawn]] = people.verdict[drawn]
    rater[people.pair[drawn]] = people.rater[drawn]
    gold = rated_gold(people, rest, size) if graded(people) else plural_gold(people, rest, size)
    return Draw(label=label, rater=rater, gold=gold)


def graded(people: People) -> bool:
    return bool(len(people.pair)) and not np.isnan(people.scores).any()


def plural_gold(people: People, rows: Ints, size: int) -> Ints:
    """The strict plurality of the labels `rows` (n,); ties are a third answer."""
    others = Known(instance=people.pair[rows], rater=people.rater[rows], verdict=people.verdict[rows])
    counts = others.counts(size)
    best = counts.max(axis=1, keepdims=True)
    strict = ((counts == best) & (best > 0)).sum(axis=1) == 1
    return np.where(strict, counts.argmax(axis=1) - 1, NO_GOLD)


def rated_gold(people: People, rows: Ints, size: int) -> Ints:
    """Which response of a pair the raters `rows` rate higher on average (n,)."""
    scores = people.scores[rows]
    total = np.bincount(people.pair[rows], weights=scores[:, 1] - scores[:, 0], minlength=size)
    count = np.bincount(people.pair[rows], minlength=size)
    return np.where(count > 0, np.sign(np.round(total, 9)).astype(np.int64), NO_GOLD)


def world(people: People, size: int, *, seed: int) -> Draw:
    """The seed's draw, the same whatever policies run."""
    return draw(people, size, rng=np.random.default_rng([seed, 0]))


def policy_rng(policy: str, seed: int) -> Generator:
    return np.random.default_rng([seed, 1, zlib.crc32(policy.encode())])


def caps(budgets: Sequence[float], size: int) -> list[int]:
    """Human labels that each budget allows."""
    return [int(np.floor(budget * size + 1e-9)) for budget in budgets]


def run(name: str, table: Table, drawn: Draw, *, seed: int, budgets: Sequence[float]) -> Run:
    """One policy in one world, its purchases nested from budget to budget."""
    return run_policy(POLICIES.load(name)(), table, drawn, seed=seed, budgets=budgets)


def run_policy(policy: Policy, table: Table, drawn: Draw, *, seed: int, budgets: Sequence[float]) -> Run:
    """A policy with parameters of its own, as `run`."""
    if isinstance(policy, Oracle):
        policy.see(gold=drawn.gold, label=drawn.label)
    rng = policy_rng(policy.name, seed)
    reveal = Reveal(lambda i: (int(drawn.rater[i]), int(drawn.label[i])), cap=0)
    states = []
    for cap in caps(budgets, table.size):
        reveal.raise_cap(max(cap, reveal.spent))
        states.append(spend(policy, table, reveal, rng=rng))
    return Run(policy=policy.name, seed=seed, draw=drawn, states=states, fitted=policy)


def spend(policy: Policy, table: Table, reveal: Reveal, *, rng: Generator) -> State:
    """Buys what the policy wants up to the cap, refitting on the way where it learns, and settles."""
    while reveal.spent < reveal.cap:
        known = reveal.known()
        ranking = policy.rank(table, known, cap=reveal.cap, rng=rng)
        room = min(
            reveal.cap - reveal.spent, policy.batch(spent=reveal.spent, cap=reveal.cap, size=table.size)
        )
        wanted = choose(ranking, chosen=known.asked(table.size), room=room, rng=rng)
        if not len(wanted):
            break
        reveal.ask(wanted)
    known = reveal.known()
    settled = verdicts_of(policy.settle(table, known))
    return State(routed=known.asked(table.size), settled=settled, differs=policy.differing(table, known))


def replay(
    table: Table, people: People, *, policies: Sequence[str], budgets: Sequence[float], seeds: int
) -> Iterator[Run]:
    """Every policy in every seed, seed by seed. `table` and `people` as `replayable` gives them."""
    for seed in range(seeds):
        drawn = world(people, table.size, seed=seed)
        for name in policies:
            yield run(name, table, drawn, seed=seed, budgets=budgets)


# ---------------------------------------------------------------- what it amounts to


@dataclass(eq=False)
class Scores:
    """Hits and evaluable pairs by prompt: hits[policy] (S, B, P), counts (S, P)."""

    budgets: Sequence[float]
    hits: dict[str, list[Floats]]
    counts: dict[int, Floats]

    def add(self, run: Run, prompt: Ints, size: int) -> None:
        """Counts where the settled verdict is the gold."""
        right = np.array([state.settled == run.draw.gold for state in run.states])
        self.count(run, right, run.draw.gold != NO_GOLD, prompt, size)

    def count(self, run: Run, right: Mask, tested: Mask, prompt: Ints, size: int) -> None:
        """Counts hits `right` (B, n) among the pairs `tested` (n,), by prompt."""
        self.counts[run.seed] = np.bincount(prompt[tested], minlength=size)
        rows = [np.bincount(prompt[tested & row], minlength=size) for row in right]
        self.hits.setdefault(run.policy, []).append(np.array(rows, dtype=float))

    def curves(self, *, rng: Generator) -> dict[str, Floats]:
        """Each policy's curve as it is and in the same resamples of seeds and prompts (1 + T, B)."""
        counts = np.array([self.counts[seed] for seed in sorted(self.counts)])  # (S, P)
        weights = resample(len(counts), counts.shape[1], rng=rng)
        return {name: agreement_curves(np.array(hits), counts, weights) for name, hits in self.hits.items()}


def area(curve: Floats, budgets: Sequence[float]) -> Floats:
    """The trapezoid over the budgets divided by their range: (…, B) to (…); one budget is its own area."""
    span = budgets[-1] - budgets[0]
    if span <= 0:
        return curve[..., 0]
    total: Floats = np.trapezoid(curve, budgets, axis=-1)
    return total / span


def summarise(scores: Scores, *, rng: Generator) -> dict[str, Any]:
    """Curves, areas and paired differences with 95 % intervals over prompts and seeds."""
    return report_of(scores.curves(rng=rng), scores.budgets)


def report_of(curves: dict[str, Floats], budgets: Sequence[float]) -> dict[str, Any]:
    """The contract's report of resampled curves (1 + T, B)."""
    areas = {name: area(curve, budgets) for name, curve in curves.items()}
    return {
        "policies": {name: policy_report(curves[name], areas[name], budgets) for name in curves},
        "paired": {f"{a}-{b}": interval(areas[a] - areas[b]) for a in areas for b in areas if a != b},
    }


def resample(seeds: int, prompts: int, *, rng: Generator) -> tuple[Floats, Floats]:
    """Bootstrap weights of seeds (1 + T, S) and prompts (1 + T, P); the first row is the data as they are."""
    by_seed = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=RESAMPLES)
    by_prompt = rng.multinomial(prompts, np.full(prompts, 1 / prompts), size=RESAMPLES)
    return (
        np.vstack([np.ones(seeds), by_seed]).astype(float),
        np.vstack([np.ones(prompts), by_prompt]).astype(float),
    )


def agreement_curves(hits: Floats, counts: Floats, weights: tuple[Floats, Floats]) -> Floats:
    """Pooled agreement at each budget in each resample: hits (S, B, P), counts (S, P) to (1 + T, B)."""
    by_seed, by_prompt = weights
    right = np.einsum("ts,tsb->tb", by_seed, np.tensordot(by_prompt, hits, axes=(1, 2)))
    total = np.einsum("ts,ts->t", by_seed, by_prompt @ counts.T)
    return right / np.maximum(total, 1e-12)[:, None]


def interval(values: Floats) -> dict[str, float]:
    """The estimate (the first value) and the central 95 % of the resamples."""
    low, high = np.quantile(values[1:], (0.025, 0.975))
    return {"mean": float(values[0]), "low": float(low), "high": float(high)}


def policy_report(curve: Floats, areas: Floats, budgets: Sequence[float]) -> dict[str, Any]:
    points = [{"budget": budget, **interval(curve[:, place])} for place, budget in enumerate(budgets)]
    return {"area": float(areas[0]), "area_interval": interval(areas), "curve": points}


def decision_rows(
    run: Run, table: Table, people: People, budgets: Sequence[float]
) -> Iterator[dict[str, Any]]:
    """The contract's row for each budget and pair of a run."""
    gold = [None if verdict == NO_GOLD else int(verdict) for verdict in run.draw.gold]
    for budget, state in zip(budgets, run.states, strict=True):
        for place, instance in enumerate(table.ids):
            routed = bool(state.routed[place])
            yield {
                "policy": run.policy,
                "seed": run.seed,
                "budget": budget,
                "instance": instance,
                "routed": routed,
                "annotator": people.names[run.draw.rater[place]] if routed else None,
                "revealed": int(run.draw.label[place]) if routed else None,
                "settled": int(state.settled[place]),
                "gold": gold[place],
            }


def evaluable(runs: Iterable[Run]) -> dict[int, int]:
    """How many pairs have a gold in each seed."""
    return {run.seed: int((run.draw.gold != NO_GOLD).sum()) for run in runs}
