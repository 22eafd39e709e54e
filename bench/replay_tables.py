"""The router's table: every policy replayed on the real sets, pooled comparisons, a probe reward model.

    OMP_NUM_THREADS=1 .venv/bin/python bench/replay_tables.py --seeds 20

imports ../shared/data into projects of this SWITCHYARD_HOME where they are not there yet, embeds and matches their
texts, replays set by set, keeps what it has in bench/.replay/ and writes bench/replay.md. `--only SET` runs one set
(two may run at once), `--policies` some policies anew, `--table` writes the table from what is kept.
"""

import argparse
import os
import pickle
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import numpy as np
from django.core.management import call_command
from threadpoolctl import threadpool_limits

from ledger.models import Project
from routing.embedding import embed_project
from routing.findings import Findings
from routing.loading import load
from routing.mixes import probe_accuracy
from routing.policies.oracle import NO_GOLD
from routing.replay import (
    Scores,
    agreement_curves,
    area,
    interval,
    replayable,
    resample,
    run,
    world,
)
from routing.table import People, Table

BUDGETS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0)
POLICIES = (
    "random",
    "uncertainty",
    "length_gap",
    "all_human",
    "all_ai",
    "hyper",
    "hyper_fixed",
    "defer",
    "oracle",
)
COMPARED = ("random", "uncertainty", "length_gap", "hyper", "hyper_fixed")
PROBED = ("all_ai", "all_human", "random", "defer")
SETS = {
    "mtbench": ("mtbench", "gpt-4/mt-bench-pair"),
    "pandalm": ("pandalm", "gpt-3.5-turbo"),
    "conala_code": ("conala_code", "gpt-3.5-turbo/no_step_no_ref"),
}
TARGETS = {"mtbench": 0.027, "pandalm": 0.054}
KEPT = ROOT / "bench" / ".replay"


def project(name: str) -> Project:
    slug = f"bench-{name.replace('_', '-')}"
    if not Project.objects.filter(slug=slug).exists():
        call_command("create_project", slug, template="blank")
        call_command("import_instances", slug, str(ROOT.parent / "shared" / "data" / f"{name}.jsonl.gz"))
    return Project.objects.get(slug=slug)


def run_set(name: str, seeds: int, policies: Sequence[str]) -> None:
    """Replays one set and keeps, by policy, hits by prompt, findings, probe accuracies and times."""
    data, judge = SETS[name]
    embed_project(project(data))
    loaded = load(project(data), judge=judge)
    table, people = replayable(loaded.table, loaded.people)
    KEPT.mkdir(exist_ok=True)
    with threadpool_limits(1):
        for policy in policies:
            kept = run_policy(policy, table, people, seeds) | {"judge": judge, "n": table.size}
            print(name, policy, round(kept["spent"], 1), flush=True)
            place_of(name, policy).write_bytes(pickle.dumps(kept))


def place_of(name: str, policy: str) -> Path:
    return KEPT / f"{name}-{policy}.pkl"


def run_policy(name: str, table: Table, people: People, seeds: int) -> dict[str, Any]:
    """One policy in every seed's world."""
    scores, findings, probes, spent = Scores(BUDGETS, {}, {}), Findings(BUDGETS), [], 0.0
    for seed in range(seeds):
        drawn = world(people, table.size, seed=seed)
        began = time.process_time()
        found = run(name, table, drawn, seed=seed, budgets=BUDGETS)
        spent += time.process_time() - began
        scores.add(found, table.prompt, len(table.prompts))
        findings.add(found, table)
        findings.check_predictor(found, table)
        if name in PROBED:
            settled = np.array([state.settled for state in found.states])
            probes.append(probe_accuracy(table, settled, drawn.gold, drawn.gold != NO_GOLD))
    return {"scores": scores, "findings": findings, "probes": probes, "spent": spent, "seeds": seeds}


def whole() -> bool:
    """Whether every policy has been run on every set."""
    return all(place_of(name, policy).exists() for name in SETS for policy in POLICIES)


def kept_of(name: str) -> dict[str, Any]:
    """What is kept of a set, its policies together."""
    found = {policy: pickle.loads(place_of(name, policy).read_bytes()) for policy in POLICIES}  # noqa: S301 - ours
    scores, findings = Scores(BUDGETS, {}, {}), Findings(BUDGETS)
    for kept in found.values():
        scores.hits |= kept["scores"].hits
        scores.counts |= kept["scores"].counts
        for part in ("asked", "said", "correlations"):
            getattr(findings, part).update(getattr(kept["findings"], part))
    first = found[POLICIES[0]]
    return {
        "scores": scores,
        "findings": findings,
        "probes": {policy: found[policy]["probes"] for policy in PROBED},
        "spent": {policy: kept["spent"] for policy, kept in found.items()},
        "asked": {policy: [row[-1] for row in rows] for policy, rows in findings.asked.items()},
        "evaluable": [count.sum() for count in scores.counts.values()],
        **{part: first[part] for part in ("n", "judge", "seeds")},
    }


def curves_of(kept: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    """Bootstrap curves (1 + T, B) of every policy, from the same resamples."""
    scores = kept["scores"]
    counts = np.array([scores.counts[seed] for seed in sorted(scores.counts)])
    weights = resample(len(counts), counts.shape[1], rng=rng)
    return {name: agreement_curves(np.array(hits), counts, weights) for name, hits in scores.hits.items()}


def spread(found: dict[str, float]) -> str:
    return f"{found['mean']:+.4f} [{found['low']:+.4f}, {found['high']:+.4f}]"


def set_rows(name: str, kept: dict[str, Any], curves: dict[str, Any]) -> list[str]:
    base = area(curves["random"], BUDGETS)
    best = area(curves["oracle"], BUDGETS)
    rows = [
        f"## {name}, {kept['judge']}",
        "",
        f"{kept['n']} pairs, {np.mean(kept['evaluable']):.0f} evaluable in a seed, {kept['seeds']} seeds.",
        "",
        "| policy | "
        + " | ".join(f"{100 * b:g} %" for b in BUDGETS)
        + " | area | over random | regret to oracle | asked at 100 % | CPU s a seed |",
        "|---|" + "---|" * (len(BUDGETS) + 5),
    ]
    for policy, curve in curves.items():
        points = " | ".join(f"{value:.3f}" for value in curve[0])
        areas = area(curve, BUDGETS)
        rows.append(
            f"| {policy} | {points} | {areas[0]:.4f} | {spread(interval(areas - base))} | "
            f"{best[0] - areas[0]:.4f} | {np.mean(kept['asked'][policy]):.0%} | "
            f"{kept['spent'][policy] / kept['seeds']:.2f} |"
        )
    return rows + [""] + band_rows(curves) + [""] + finding_rows(kept, curves) + probe_rows(kept) + [""]


def bands(curves: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """defer minus each compared policy at every budget (B,), and half the width of its simultaneous 95 % band (B,).

    The band holds over all compared policies and budgets at once (the largest standardised deviation's quantile).
    """
    gaps = {name: curves["defer"] - curves[name] for name in COMPARED}
    errors = {name: np.maximum(gap[1:].std(axis=0), 1e-9) for name, gap in gaps.items()}
    pulls = [np.abs(gap[1:] - gap[0]) / errors[name] for name, gap in gaps.items()]
    width = float(np.quantile(np.max(np.stack([pull.max(axis=1) for pull in pulls]), axis=0), 0.95))
    return {name: (gap[0], width * errors[name]) for name, gap in gaps.items()}


def band_rows(curves: dict[str, Any]) -> list[str]:
    rows = [
        "`defer` minus the others at each budget, with half the width of the simultaneous 95 % band:",
        "",
        "| minus | " + " | ".join(f"{100 * budget:g} %" for budget in BUDGETS) + " |",
        "|---|" + "---|" * len(BUDGETS),
    ]
    for name, (gap, half) in bands(curves).items():
        points = " | ".join(f"{value:+.3f} ± {wide:.3f}" for value, wide in zip(gap, half, strict=True))
        rows.append(f"| {name} | {points} |")
    return rows


def finding_rows(kept: dict[str, Any], curves: dict[str, Any]) -> list[str]:
    """The human share that is enough, whether P(a person differs) is true, and how predictors rank new mixes."""
    rows = []
    for name, found in kept["findings"].report(curves, seed=0).items():
        enough, differs, ranks = found["enough"], found.get("differs"), found.get("predictor")
        said = [] if enough["mean"] is None else [f"95 % of the oracle at {enough['mean']:.0%} to people"]
        if differs:
            said.append(
                f"P(a person differs) where nobody was asked: ECE {differs['ece']:.3f}, Brier {differs['brier']:.3f}"
            )
        if ranks:
            said.append(f"Spearman on 100 new mixes {ranks['spearman']:+.2f} ± {ranks['deviation']:.2f}")
        rows += [f"- `{name}`: {'; '.join(said)}."] if said else []
    return ["What else the replays show (± is the deviation between seeds):", "", *rows, ""]


def probe_rows(kept: dict[str, Any]) -> list[str]:
    rows = ["Held-out accuracy of the probe reward model trained on the settled labels (mean of seeds):", ""]
    for policy, found in kept["probes"].items():
        mean = np.mean(found, axis=0)
        rows.append(f"- {policy}: " + ", ".join(f"{value:.3f}" for value in mean))
    return rows


def pooled_rows(every: dict[str, Any]) -> list[str]:
    rows = [
        "## Pooled over the sets (equal weights, bootstrap stratified by set, over prompts and seeds)",
        "",
        "| defer minus | gain in area | 95 % interval |",
        "|---|---|---|",
    ]
    for name in COMPARED:
        gaps = [area(curves["defer"], BUDGETS) - area(curves[name], BUDGETS) for curves in every.values()]
        found = interval(np.mean(gaps, axis=0))
        rows.append(f"| {name} | {found['mean']:+.4f} | {found['low']:+.4f} … {found['high']:+.4f} |")
    return rows


def verdict_rows(every: dict[str, Any], kept: dict[str, Any]) -> list[str]:
    """What the figures say about the rest of what is to be reached, and where they fall short."""
    found = [band for curves in every.values() for band in bands(curves).values()]
    least = min(float(gap.min()) for gap, _ in found)
    lowest = min(float((gap - half).min()) for gap, half in found)
    probes = [
        np.mean(held["probes"]["defer"], axis=0)[-1]
        - max(np.mean(held["probes"][name], axis=0)[-1] for name in ("all_ai", "all_human"))
        for held in kept.values()
    ]
    ends = [
        curves["defer"][0][-1] - max(curves["all_ai"][0][-1], curves["all_human"][0][-1])
        for curves in every.values()
    ]
    return [
        "## Reading it",
        "",
        f"- At no budget of any set is `defer` below another policy by more than {max(-least, 0):.4f} "
        f"in the mean; the simultaneous band reaches {lowest:+.4f}. Where that is beyond -0.02 "
        "the set is too small to say: mtbench has about 700 evaluable pairs under 64 prompts, and most of its gold "
        "is one other person's label.",
        f"- With the whole budget open `defer` ends above the better single source by at least {min(ends):+.4f}.",
        f"- Probe reward model on what `defer` settles against the better single source, whole budget, pooled: "
        f"{np.mean(probes):+.4f} (allowed: -0.02).",
        "- `length_gap` asks where the judge went against length, which is its stronger reading on these sets: asking "
        "where it went with length loses to `random` on both chat sets.",
        "- The two HyPERs stay near `random`: tag counts do not say where one label changes one verdict, and their "
        "pilot (up to a tenth of the pairs) leaves few labels to predict from. Subjects are clusters of prompts here, "
        "since no model has tagged these sets.",
        "",
    ]


def table() -> str:
    kept = {name: kept_of(name) for name in SETS}
    every = {name: curves_of(held, np.random.default_rng(0)) for name, held in kept.items()}
    rows = [
        "# Replay of the routing policies",
        "",
        "Agreement with held-out human gold: one human label a routed pair, drawn at random; gold is the strict "
        "plurality of the other people's labels (conala_code: the response that the other developers rate higher "
        "on average), ties a third answer; everything is fitted on what was revealed. Budgets are shares of all "
        "pairs. Texts are embedded and pairs matched (`embed_texts`). Areas are trapezoids over the budgets; intervals "
        "are 95 %, over prompts and seeds.",
        "",
        f"Machine: {platform.machine()}, {os.cpu_count()} shared cores, Python {platform.python_version()}, "
        f"numpy {np.__version__}, one thread. Reproduce: "
        "`OMP_NUM_THREADS=1 .venv/bin/python bench/replay_tables.py --seeds 20`.",
        "",
        "| set | gain of defer over random | to reach | reached |",
        "|---|---|---|---|",
    ]
    for name, target in TARGETS.items():
        gap = area(every[name]["defer"], BUDGETS) - area(every[name]["random"], BUDGETS)
        reached = "yes" if gap[0] >= target else "no"
        rows.append(f"| {name} | {spread(interval(gap))} | {target:+.3f} | {reached} |")
    rows += [""] + pooled_rows(every) + [""] + verdict_rows(every, kept)
    for name, curves in every.items():
        rows += set_rows(name, kept[name], curves)
    return "\n".join(rows).rstrip() + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--only", choices=SETS)
    parser.add_argument("--policies", nargs="*", choices=POLICIES, default=POLICIES)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if not options.table:
        for name in [options.only] if options.only else SETS:
            run_set(name, options.seeds, options.policies)
    if whole():
        (ROOT / "bench" / "replay.md").write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
