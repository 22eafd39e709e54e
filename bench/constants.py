"""How much does `defer`'s prior matter where labels cannot tell how reliable people are?

    OMP_NUM_THREADS=1 .venv/bin/python bench/constants.py

replays those variations of the sets in which no response is met twice (`bench/replay_unseen.py`) with other values of
`routing.belief.START`, people's scale in log-odds, and writes bench/constants.md. Takes about four minutes.
"""

from dataclasses import replace
from functools import partial

import numpy as np
from replay_unseen import BUDGETS, ROOT, Case, World, bases, cases, replayed
from threadpoolctl import threadpool_limits

from bench.machine import describe
from routing.belief import START
from routing.policies import POLICIES
from routing.policies.defer import Defer
from routing.replay import area

SEEDS = 2
VALUES = (0.8, START.response, 1.4, 1.7)


def gain_and_end(case: Case, held: dict[tuple[str, str], World], value: float) -> tuple[float, float]:
    """Gain in area over `random`, and at the whole budget less the better single source: agreement with gold."""
    policies = {name: POLICIES.load(name) for name in ("random", "all_ai", "all_human")}
    policies["defer"] = partial(Defer, prior=replace(START, response=value))
    found = replayed(replace(case, seeds=SEEDS), held, policies)
    mean = {policy: values.mean(axis=0) for policy, values in found.items()}
    better = max(mean["all_ai"][-1], mean["all_human"][-1])
    return float(area(mean["defer"] - mean["random"], BUDGETS)), float(mean["defer"][-1] - better)


def main() -> None:
    held, machine = bases(), describe()
    chosen = [case for case in cases() if "nothing shared" in case.name]
    with threadpool_limits(1):
        found = np.array([[gain_and_end(case, held, value) for value in VALUES] for case in chosen])
    lines = [
        "# What `defer` takes people to be, where nothing tells",
        "",
        f"Gain in area over `random` / the whole budget less the better single source, {SEEDS} seeds, at values of the",
        f"prior scale (`routing.belief.START`, {START.response} in use). {machine}.",
        "",
        "| set | case | " + " | ".join(map(str, VALUES)) + " |",
        "|---|---|" + "---|" * len(VALUES),
    ]
    for case, row in zip(chosen, found, strict=True):
        lines.append(
            f"| {case.family} | {case.name} | " + " | ".join(f"{g:+.3f} / {e:+.3f}" for g, e in row) + " |"
        )
    for name, of in (("mean", np.mean), ("worst", np.min)):
        lines.append(
            f"| all | {name} | " + " | ".join(f"{g:+.3f} / {e:+.3f}" for g, e in of(found, axis=0)) + " |"
        )
    (ROOT / "bench" / "constants.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
