"""Is the guarantee kept? 200 replays a set: promised against realised agreement, and what it costs.

    OMP_NUM_THREADS=1 .venv/bin/python bench/guarantee.py --replays 200

uses the projects that bench/replay_tables.py imports (and imports them where needed) and writes bench/guarantee.md.
A promise fails where a fresh person's label agrees with the judge on fewer of the accepted instances than the
target. The uniform audit draws as many instances at random and accepts everything or nothing, by the same exact test.
"""

import argparse
import platform

import numpy as np
import replay_tables  # sets up Django
from threadpoolctl import threadpool_limits

from routing.loading import load
from routing.policies.base import choose
from routing.policies.guarantee import Guarantee
from routing.promise import tail
from routing.replay import Draw, replayable, world
from routing.table import Known, Reveal, Table

CASES = (("pandalm", 0.75), ("pandalm", 0.8), ("mtbench", 0.65), ("mtbench", 0.7))
CONFIDENCE = 0.95
ALLOWED = 15  # of 200: the 95 % point of a binomial with chance 0.05


def guarantee(table: Table, drawn: Draw, *, seed: int, target: float) -> tuple[int, int, float | None]:
    """Labels spent, instances accepted, and the agreement realised on them (None without a promise)."""
    rng = np.random.default_rng([seed, 7])
    policy = Guarantee(target=target, confidence=CONFIDENCE)
    reveal = Reveal(lambda i: (int(drawn.rater[i]), int(drawn.label[i])), cap=table.size)
    while True:
        known: Known = reveal.known()
        ranking = policy.rank(table, known, cap=table.size, rng=rng)
        room = policy.batch(spent=reveal.spent, cap=table.size, size=table.size)
        wanted = choose(
            ranking, chosen=known.asked(table.size), room=min(room, table.size - reveal.spent), rng=rng
        )
        if not len(wanted):
            break
        reveal.ask(wanted)
    made = policy.made
    if made is None or not made.kept:
        return reveal.spent, 0, None
    accepted = made.accepted
    return reveal.spent, int(accepted.sum()), float((drawn.label == table.ai)[accepted].mean())


def uniform(table: Table, drawn: Draw, *, seed: int, target: float, audits: int) -> int:
    """Labels that a uniform audit of the same size needs: the audit where it passes, else everything."""
    order = np.random.default_rng([seed, 8]).permutation(table.size)[:audits]
    hits = int((drawn.label == table.ai)[order].sum())
    passed = tail(population=table.size, sample=audits, hits=hits, target=target) <= 1 - CONFIDENCE
    return audits if passed else table.size


def row(name: str, target: float, replays: int) -> str:
    data, judge = replay_tables.SETS[name]
    loaded = load(replay_tables.project(data), judge=judge)
    table, people = replayable(loaded.table, loaded.people)
    spent, accepted, realised, plain = [], [], [], []
    for seed in range(replays):
        drawn = world(people, table.size, seed=seed)
        cost, count, agreement = guarantee(table, drawn, seed=seed, target=target)
        spent.append(cost)
        accepted.append(count)
        realised.append(agreement)
        lots = min(table.size, 700, max(200, round(0.2 * table.size)))
        plain.append(uniform(table, drawn, seed=seed, target=target, audits=lots))
    kept = [value for value in realised if value is not None]
    broken = sum(value < target for value in kept)
    print(name, target, len(kept), broken, np.mean(spent), np.mean(plain), flush=True)
    return (
        f"| {name} | {target:.2f} | {table.size} | {len(kept)} of {replays} | {broken} | "
        f"{np.mean(kept) if kept else float('nan'):.3f} | {np.mean(accepted):.0f} | "
        f"{np.mean(spent):.0f} ± {np.std(spent):.0f} | {np.mean(plain):.0f} ± {np.std(plain):.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replays", type=int, default=200)
    options = parser.parse_args()
    with threadpool_limits(1):
        rows = [row(name, target, options.replays) for name, target in CASES]
    text = [
        "# The guarantee, promised and realised",
        "",
        f"{options.replays} replays a row at {CONFIDENCE:.0%} confidence; at most {ALLOWED} of 200 may fail. Cost in "
        "human labels, mean ± deviation over the replays; where nothing is promised, everything goes to people.",
        "",
        f"Machine: {platform.machine()}, Python {platform.python_version()}. Reproduce: "
        "`OMP_NUM_THREADS=1 .venv/bin/python bench/guarantee.py --replays 200`.",
        "",
        "| set | target | n | promised | failed | realised where promised | accepted unseen | cost | uniform audit |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
    ]
    (replay_tables.ROOT / "bench" / "guarantee.md").write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
