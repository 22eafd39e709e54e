"""Does the forecast cover what comes? Expected agreement before, against agreement with a fresh person after.

    OMP_NUM_THREADS=1 .venv/bin/python bench/forecast.py --replays 200

In each replay a pilot of instances drawn at random carries one human label each; the forecast is made from it for a
budget spent at random; then the budget is spent, and the settled verdicts are compared with another person's label
on every pair that has one. Writes bench/forecast.md.
"""

import argparse
import platform
from dataclasses import replace

import numpy as np
import replay_tables  # sets up Django

from routing.expectation import expected_agreement
from routing.loading import Loaded, load
from routing.replay import replayable
from routing.table import Ints, People

PILOTS = (30, 100, 300)
BUDGETS = (0.0, 0.1, 0.25, 0.5, 1.0)
NOBODY = -9


def two_people(people: People, size: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Two different people's labels on each pair (n,), (n,); NOBODY where there is no second."""
    order = np.lexsort((rng.random(len(people.pair)), people.pair))
    pair = people.pair[order]
    first = np.r_[True, pair[1:] != pair[:-1]]
    second = np.r_[False, first[:-1]] & ~first
    one, two = np.full(size, NOBODY), np.full(size, NOBODY)
    one[pair[first]], two[pair[second]] = people.verdict[order[first]], people.verdict[order[second]]
    return one, two


def replayed(loaded: Loaded, pilot: int, budget: float, seed: int) -> tuple[bool, float]:
    """Whether the forecast covered the outcome, and how wide it was."""
    table, people = loaded.table, loaded.people
    rng = np.random.default_rng([seed, pilot, int(100 * budget)])
    one, two = two_people(people, table.size, rng)
    order = rng.permutation(table.size)
    seen = order[:pilot]
    known = People(seen, np.zeros(pilot, dtype=int), one[seen], np.full((pilot, 2), np.nan), ("ann",))
    human = np.zeros(table.size, dtype=bool)
    human[rng.permutation(table.size)[: int(budget * table.size)]] = True
    found = expected_agreement(replace(loaded, people=known), human, seed=seed)
    settled = np.where(human, one, table.ai)
    held = two != NOBODY
    outcome = float((settled == two)[held].mean())
    return found["low"] <= outcome <= found["high"], found["high"] - found["low"]


def rows(name: str, replays: int) -> list[str]:
    data, judge = replay_tables.SETS[name]
    loaded = load(replay_tables.project(data), judge=judge)
    table, people = replayable(loaded.table, loaded.people)
    owners = tuple(range(table.size))
    table = replace(table, instances=tuple(-1 - place for place in owners), owner=np.array(owners))
    loaded = replace(loaded, table=table, people=people)
    found = []
    for pilot in PILOTS:
        for budget in BUDGETS:
            results = [replayed(loaded, pilot, budget, seed) for seed in range(replays)]
            covered, width = np.mean([hit for hit, _ in results]), np.mean([wide for _, wide in results])
            found.append(f"| {name} | {pilot} | {budget:.0%} | {covered:.1%} | {width:.3f} |")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replays", type=int, default=200)
    options = parser.parse_args()
    text = [
        "# The forecast and what came",
        "",
        f"{options.replays} replays a row; the 95 % interval should cover at least 90 % of the outcomes. Machine: "
        f"{platform.machine()}, Python {platform.python_version()}. Reproduce: "
        "`OMP_NUM_THREADS=1 .venv/bin/python bench/forecast.py --replays 200`.",
        "",
        "| set | labels in the pilot | budget | covered | mean width |",
        "|---|---|---|---|---|",
        *(row for name in ("mtbench", "pandalm") for row in rows(name, options.replays)),
    ]
    (replay_tables.ROOT / "bench" / "forecast.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
