"""A replay of a project: from its ledger to the contract's report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from ledger.models import Project
from routing.findings import Findings
from routing.loading import load
from routing.problems import NoHumanLabels
from routing.replay import Scores, decision_rows, replay, replayable, report_of

Sink = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What to replay."""

    policies: Sequence[str]
    budgets: Sequence[float]
    seeds: int
    aspect: str | None = None
    judge: str | None = None
    deep: bool = (
        False  # also a probe reward model on what was settled, and the performance predictor on new mixes
    )


def rehearse(project: Project, wanted: Rehearsal, sink: Sink | None = None) -> dict[str, Any]:
    """The contract's report of `replay` with what else it shows as `findings`; every decision goes to `sink`.

    Raises what `load` refuses.
    """
    loaded = load(project, aspect=wanted.aspect, judge=wanted.judge)
    table, people = replayable(loaded.table, loaded.people)
    if not table.size:
        raise NoHumanLabels(
            f"No instance carries both a human label and one of {loaded.judge.name!r} on "
            f"{loaded.aspect.name!r}: collect a pilot first, `route {project.slug} --policy random --budget 0.05`.",
            aspect=loaded.aspect.name,
            judge=loaded.judge.name,
        )
    if np.bincount(people.pair).max() < 2:
        raise NoHumanLabels(
            f"No instance carries labels by two people on {loaded.aspect.name!r}: a replay reveals one and "
            "holds the others as gold. Raise the overlap, or import further labels.",
            aspect=loaded.aspect.name,
        )
    scores = Scores(budgets=wanted.budgets, hits={}, counts={})
    findings = Findings(wanted.budgets, deep=wanted.deep)
    runs = replay(table, people, policies=wanted.policies, budgets=wanted.budgets, seeds=wanted.seeds)
    with threadpool_limits(1):  # many small matrices: more threads only wait for each other
        for run in runs:
            scores.add(run, table.prompt, len(table.prompts))
            findings.add(run, table)
            if sink is not None:
                for row in decision_rows(run, table, people, wanted.budgets):
                    sink(row)
    report = {"aspect": loaded.aspect.name, "judge": loaded.judge.name, "n": table.size}
    curves = scores.curves(rng=np.random.default_rng(wanted.seeds))
    return (
        report | report_of(curves, wanted.budgets) | {"findings": findings.report(curves, seed=wanted.seeds)}
    )
