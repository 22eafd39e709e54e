"""What a replay shows beyond its curves: asked and regret, the share that is enough, calibration, promises kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from quality.calibration import brier, ece, reliability
from routing.mixes import probe_right
from routing.policies.guarantee import Guarantee
from routing.policies.hyper import Hyper
from routing.policies.oracle import NO_GOLD, Oracle
from routing.replay import Run, Scores, area, interval, policy_rng
from routing.table import Floats, Table

ENOUGH = 0.95  # of the oracle's best agreement
BINS = 10


@dataclass(eq=False)
class Findings:
    """Collects runs; `report` says what they show. The costly parts (probe, predictor) only where `deep`."""

    budgets: Sequence[float]
    deep: bool = False
    asked: dict[str, list[list[float]]] = field(default_factory=lambda: defaultdict(list))
    said: dict[str, list[Floats]] = field(
        default_factory=lambda: defaultdict(list)
    )  # (2, k): P(differ), differed
    correlations: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    promises: dict[str, list[tuple[float, float | None]]] = field(default_factory=lambda: defaultdict(list))
    probes: Scores = field(init=False)

    def __post_init__(self) -> None:
        self.probes = Scores(self.budgets, {}, {})

    def add(self, run: Run, table: Table) -> None:
        """Takes in one run; the labels that it left unrevealed are what it is held against."""
        self.asked[run.policy].append([float(state.routed.mean()) for state in run.states])
        differs = run.draw.label != table.ai
        for state in run.states:
            if state.differs is not None:
                hidden = ~state.routed
                self.said[run.policy].append(np.stack([state.differs[hidden], differs[hidden]]))
        if isinstance(run.fitted, Guarantee):
            self.promises[run.policy].append(kept(run, run.fitted, table))
        if self.deep:
            self.look_deeper(run, table)

    def look_deeper(self, run: Run, table: Table) -> None:
        settled = np.array([state.settled for state in run.states])
        right, tested = probe_right(table, settled, run.draw.gold, run.draw.gold != NO_GOLD)
        self.probes.count(run, right, tested, table.prompt, len(table.prompts))
        self.check_predictor(run, table)

    def check_predictor(self, run: Run, table: Table) -> None:
        """How a HyPER's predictor ranks mixes that it never saw."""
        if isinstance(run.fitted, Hyper):
            found = run.fitted.rank_correlation(table, rng=policy_rng(f"{run.policy} checked", run.seed))
            if found is not None:
                self.correlations[run.policy].append(found)

    def report(self, curves: dict[str, Floats], *, seed: int) -> dict[str, Any]:
        """By policy; `curves` (1 + T, B) are the resampled agreements of the same runs."""
        probed = self.probes.curves(rng=np.random.default_rng(seed)) if self.deep else {}
        return {name: self.of_policy(name, curves, probed) for name in curves}

    def of_policy(self, name: str, curves: dict[str, Floats], probed: dict[str, Floats]) -> dict[str, Any]:
        best = curves.get(Oracle.name)
        asked = np.mean(self.asked[name], axis=0)
        found: dict[str, Any] = {"asked": asked.tolist()}
        if best is not None:
            found["regret"] = interval(area(best, self.budgets) - area(curves[name], self.budgets))
            found["enough"] = enough(curves[name], asked, ENOUGH * best.max(axis=1))
        if self.said[name]:
            found["differs"] = calibration(np.concatenate(self.said[name], axis=1))
        if self.promises[name]:
            found["promise"] = promised(self.promises[name])
        if self.correlations[name]:
            found["predictor"] = spread(self.correlations[name])
        if name in probed:
            found["probe"] = [
                {"budget": budget, **interval(probed[name][:, place])}
                for place, budget in enumerate(self.budgets)
            ]
        return found


def enough(curve: Floats, asked: Floats, level: Floats) -> dict[str, float | None]:
    """The least human share at which the curve (1 + T, B) reaches its level (1 + T,), by straight lines.

    None where it never does; an interval's end is None where the resamples there never do.
    """
    reached = np.array([first_reach(row, asked, wanted) for row, wanted in zip(curve, level, strict=True)])
    low, high = np.quantile(reached[1:], (0.025, 0.975), method="nearest")
    return {"mean": finite(reached[0]), "low": finite(low), "high": finite(high)}


def first_reach(row: Floats, asked: Floats, wanted: float) -> float:
    """Where the straight lines through (asked, row) first reach `wanted`; infinity where they do not."""
    places = np.flatnonzero(row >= wanted)
    if not len(places):
        return float("inf")
    place = int(places[0])
    if place == 0:
        return float(asked[0])
    part = (wanted - row[place - 1]) / (row[place] - row[place - 1])
    return float(asked[place - 1] + part * (asked[place] - asked[place - 1]))


def finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def calibration(said: Floats) -> dict[str, Any]:
    """Whether P(a person differs) is true where nobody was asked: said (2, k) holds it and what happened."""
    chance, happened = said
    table = reliability(chance, happened, bins=BINS)
    return {
        "n": len(chance),
        "rate": float(happened.mean()) if len(chance) else None,
        "ece": ece(chance, happened, bins=BINS) if len(chance) else None,
        "brier": brier(chance, happened) if len(chance) else None,
        "reliability": {
            "predicted": table.predicted.tolist(),
            "observed": table.observed.tolist(),
            "n": table.n.tolist(),
            "low": table.low.tolist(),
            "high": table.high.tolist(),
        },
    }


def kept(run: Run, policy: Guarantee, table: Table) -> tuple[float, float | None]:
    """The target, and how often a fresh person agrees with the judge among what was accepted unseen; None where
    nothing was promised."""
    if policy.made is None or not policy.made.kept:
        return policy.target, None
    accepted = policy.made.accepted
    return policy.target, float((run.draw.label == table.ai)[accepted].mean())


def promised(found: list[tuple[float, float | None]]) -> dict[str, Any]:
    """Over the seeds: how often something was promised, how often it was broken, and what came of it."""
    realised = [share for _, share in found if share is not None]
    broken = [share < target for target, share in found if share is not None]
    return {
        "target": found[0][0],
        "replays": len(found),
        "made": len(realised),
        "broken": int(sum(broken)),
        "realised": float(np.mean(realised)) if realised else None,
    }


def spread(values: list[float]) -> dict[str, Any]:
    """Spearman's mean over the seeds with its deviation."""
    return {"spearman": float(np.mean(values)), "deviation": float(np.std(values)), "seeds": len(values)}
