"""How long routing takes: replays of 5,000 instances, features of 10,000, proxy reward models, one decision.

    OMP_NUM_THREADS=1 .venv/bin/python bench/routing_speed.py            (half an hour; --seeds 2: minutes)

The texts are those of the real sets, repeated under further prompts until there are enough. Times are of this
process's processor, so that other work on the machine does not count. Writes bench/routing_speed.md.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import machine
import numpy as np
import replay_tables  # sets up Django
from threadpoolctl import threadpool_limits

from routing.arrivals import learn
from routing.features.base import gather
from routing.features.tags import tags
from routing.loading import Loaded, load, load_some
from routing.mixes import proxy_scores, tag_fill
from routing.planning import Request, plan
from routing.replay import replay, replayable, take, world
from routing.table import Embeddings, Ints, People, Table

INSTANCES, WIDE, MIXES, WIDTH, ARRIVALS = 5000, 10_000, 250, 384, 31
FAST = ("random", "uncertainty", "length_gap", "defer", "oracle")
SLOW = ("hyper", "hyper_fixed")


def repeated(table: Table, people: People, size: int) -> tuple[Table, People]:
    """`size` pairs: the table again and again, each time under prompts and responses of its own."""
    copies = -(-size // table.size)
    prompts = [f"{text}\n({copy})" for copy in range(copies) for text in table.prompts]
    responses = [f"{text} ({copy})" for copy in range(copies) for text in table.responses]
    step = np.repeat(np.arange(copies), table.size)
    rows = len(step)
    grown = replace(
        table,
        ids=tuple(f"{name}-{copy}" for copy in range(copies) for name in table.ids),
        prompts=tuple(prompts),
        responses=tuple(responses),
        prompt=np.tile(table.prompt, copies) + step * len(table.prompts),
        pair=np.tile(table.pair, (copies, 1)) + step[:, None] * len(table.responses),
        model_of=np.tile(table.model_of, copies),
        verdict=np.tile(table.verdict, copies),
        probability=np.tile(table.probability, copies),
        consistent=np.tile(table.consistent, copies),
        price=np.tile(table.price, copies),
        instances=tuple(range(rows)),
        owner=np.arange(rows),
        slices=None if table.slices is None else np.tile(table.slices, copies),
        margin=None,
        spread=None,
        embeddings=None,
        matching=None,
        tags=None,
        cache={},
    )
    said = replace(
        people,
        pair=np.concatenate([people.pair + copy * table.size for copy in range(copies)]),
        rater=np.tile(people.rater, copies),
        verdict=np.tile(people.verdict, copies),
        scores=np.tile(people.scores, (copies, 1)),
    )
    kept = said.pair < size
    narrowed = replace(
        said,
        pair=said.pair[kept],
        rater=said.rater[kept],
        verdict=said.verdict[kept],
        scores=said.scores[kept],
    )
    return take(grown, np.arange(size)), narrowed


def embedded(table: Table) -> Table:
    """The table with vectors of MiniLM's width; what they say does not change the time."""
    rng = np.random.default_rng(0)
    vectors = [rng.normal(size=(len(texts), WIDTH)) for texts in (table.prompts, table.responses)]
    return replace(table, embeddings=Embeddings(*vectors), cache={})


def seconds(work: Callable[[], Any]) -> float:
    """Processor seconds of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def replayed(table: Table, people: People, policies: tuple[str, ...], seeds: int) -> dict[str, float]:
    """Seconds of each policy over all seeds and the seven budgets."""
    spent = dict.fromkeys(policies, 0.0)
    began = time.process_time()
    for run in replay(table, people, policies=policies, budgets=replay_tables.BUDGETS, seeds=seeds):
        now = time.process_time()
        spent[run.policy] += now - began
        began = now
    return spent


def proxies(table: Table, people: People) -> float:
    """Seconds for 250 mixes over a pilot of a tenth, the embeddings' reduction included."""
    drawn = world(people, table.size, seed=0)
    rng = np.random.default_rng(0)
    rows = rng.permutation(table.size)[: table.size // 10]
    held, rows = rows[: len(rows) // 3], rows[len(rows) // 3 :]
    mixes = tag_fill(tags(table)[rows], rng.integers(1, len(rows), size=MIXES), rng=rng)
    validation: tuple[Ints, Ints] = held, drawn.label[held]
    return seconds(lambda: proxy_scores(table, mixes, rows, drawn.label[rows], validation))


def arrivals(loaded: Loaded) -> float:
    """Median milliseconds to read one instance and value it by what a full look learnt; nothing is written."""
    planned = plan(loaded.project, Request(policy="defer", seed=1, budget=0.3, judge=loaded.judge.name))
    decider = learn(planned, version="bench")
    if decider is None:
        raise SystemExit("nothing to learn from")
    took = []
    for pk in loaded.table.instances[:ARRIVALS]:
        began = time.process_time()
        table = load_some(loaded.aspect, loaded.judge, judges=decider.judges, instances=[pk])
        if table is not None:
            decider.value(table)
        took.append(1000 * (time.process_time() - began))
    return float(np.median(took))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--set", choices=replay_tables.SETS, action="append", dest="sets")
    parser.add_argument("--hyper-seeds", type=int, help="default: as many; 0: without")
    options = parser.parse_args()
    hyper = options.seeds if options.hyper_seeds is None else options.hyper_seeds
    lines = []
    with threadpool_limits(1):
        for name in options.sets or ["mtbench", "pandalm"]:
            lines += rows_of(name, options.seeds, hyper)
    place = replay_tables.ROOT / "bench" / "routing_speed.md"
    place.write_text(text(lines, f"--seeds {options.seeds} --hyper-seeds {hyper}"), encoding="utf-8")


def rows_of(name: str, seeds: int, hyper: int) -> list[str]:
    """The table's rows for one set."""
    data, judge = replay_tables.SETS[name]
    loaded = load(replay_tables.project(data), judge=judge)
    small = replayable(loaded.table, loaded.people)
    wide, _ = repeated(*small, WIDE)
    features = seconds(lambda: gather(wide))
    flags = seconds(lambda: tags(wide))
    table, people = repeated(*small, INSTANCES)
    fitted = proxies(embedded(table), people)
    spent = replayed(table, people, FAST, seeds)
    total = sum(spent.values())
    parts = ", ".join(f"{policy} {value:.1f}" for policy, value in spent.items())
    found = [
        row(name, f"features of {WIDE:,} instances", f"{features:.1f} s; tags {flags:.1f} s", "60 s"),
        row(name, "a decision on an arrival, median", f"{arrivals(loaded):.1f} ms", "50 ms"),
        row(name, f"{MIXES} proxy reward models from embeddings", f"{fitted:.1f} s", "60 s"),
        row(
            name,
            f"replay of {INSTANCES:,}, seven budgets, {seeds} seeds",
            f"{total:.0f} s ({parts})",
            "600 s",
        ),
    ]
    if hyper:
        spent = replayed(table, people, SLOW, hyper)
        parts = ", ".join(f"{policy} {value:.1f}" for policy, value in spent.items())
        what = f"the same by the two HyPERs, {hyper} seeds (allowed: 20)"
        found.append(row(name, what, f"{sum(spent.values()):.0f} s ({parts})", "2,400 s"))
    print(*found, sep="\n", flush=True)
    return found


def row(name: str, what: str, took: str, allowed: str) -> str:
    return f"| {name} | {what} | {took} | {allowed} |"


def text(lines: list[str], asked: str) -> str:
    head = [
        "# How long routing takes",
        "",
        f"Processor time of one process and one thread. {machine.describe()}. Reproduce: "
        f"`OMP_NUM_THREADS=1 .venv/bin/python bench/routing_speed.py {asked}`.",
        "",
        "| texts of | what | took | allowed |",
        "|---|---|---|---|",
    ]
    return "\n".join(head + lines) + "\n"


if __name__ == "__main__":
    main()
