"""Fused labels against people they have not heard: log-loss and accuracy, beside people's and the judges' alone.

    OMP_NUM_THREADS=1 .venv/bin/python bench/fused.py --seeds 20

On every pair with two people's labels or more one of them, drawn at random, is held out: it is what each contender must
foretell. Of the others some are known: one label on a share of all pairs, or every one. A contender's P(first, tie,
second) is what it says a fresh person would say; error rates are learnt from the known labels alone. Intervals are
over pairs' prompts and seeds together (paired bootstrap). Writes bench/fused.md.
"""

import argparse
import gzip
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import machine
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from quality.consensus.fused import Fused

DATA = Path("/work/shared/data")
SETS = {"mtbench": "gpt-4/mt-bench-pair", "pandalm": "gpt-3.5-turbo"}  # with the judge that stands
CASES = [("one label on 10 %", 0.1, 1), ("one label on 25 %", 0.25, 1), ("one label on 50 %", 0.5, 1),
         ("one label on all", 1.0, 1), ("all others", 1.0, 99)]  # fmt: skip
LEAST_SLICE = 20
DRAWS = 2000
Vote = tuple[int, str, int]  # item, rater, verdict


@dataclass(frozen=True)
class Set:
    """A data set's votes, folded as `data/README.md` says."""

    size: int
    people: dict[int, list[Vote]]
    judges: list[Vote]
    slices: np.ndarray
    prompts: np.ndarray


def read(name: str) -> Set:
    people: dict[int, list[Vote]] = defaultdict(list)
    judges: list[Vote] = []
    domains, prompts, known = [], [], {}
    with gzip.open(DATA / f"{name}.jsonl.gz") as lines:
        rows = [json.loads(line) for line in lines]
    for item, row in enumerate(rows):
        domains.append(row["meta"].get("domain", ""))
        prompts.append(known.setdefault(json.dumps(row["prompt"]), len(known)))
        people[item] = [(item, said["annotator"], int(np.sign(said["value"]))) for said in row["human"]]
        heard: dict[str, list[int]] = defaultdict(list)
        for said in row["ai"]:
            judge = "/".join(filter(None, (said["judge"], said.get("config"))))
            heard[judge].append(int(np.sign(said["value"])))
        judges += [(item, judge, v[0] if len(set(v)) == 1 else 0) for judge, v in heard.items()]
    sizes = Counter(domains)
    codes = {
        name: at for at, name in enumerate(sorted({d for d in domains if sizes[d] >= LEAST_SLICE}), start=1)
    }
    return Set(len(rows), people, judges, np.array([codes.get(d, 0) for d in domains]), np.array(prompts))


def fitted(held: Set, labels: list[Vote], judges: set[str], *, slices: bool = True) -> Fused:
    codes: dict[str, int] = {}
    rows = np.array([(i, codes.setdefault(r, len(codes)), v) for i, r, v in labels], dtype=np.int64).reshape(
        -1, 3
    )
    marks = np.array([name in judges for name in codes], dtype=bool)
    return Fused().fit(*rows.T, n_items=held.size, judges=marks, slices=held.slices if slices else None)


def contenders(held: Set, known: list[Vote], standing: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{name: (P(first, tie, second) of a fresh person's label (I, 3), verdict (I,))}."""
    names = {rater for _, rater, _ in held.judges}
    alone = [vote for vote in held.judges if vote[1] == standing]
    asked = {item for item, _, _ in known}
    found = {
        "people alone": fitted(held, known, names),
        "fused": fitted(held, known + held.judges, names),
        "fused, without slices": fitted(held, known + held.judges, names, slices=False),
        "fused, standing judge only": fitted(held, known + alone, names),
    }
    given = {name: (fit.predicted_, fit.verdicts_) for name, fit in found.items()}
    given["AI alone"] = judge_alone(held, known, alone)
    replaced = np.array([item in asked for item in range(held.size)])[:, None]
    given["default: people where asked, else AI"] = tuple(
        np.where(replaced if one.ndim == 2 else replaced[:, 0], one, other)
        for one, other in zip(given["people alone"], given["AI alone"], strict=True)
    )
    return given


def judge_alone(held: Set, known: list[Vote], alone: list[Vote]) -> tuple[np.ndarray, np.ndarray]:
    """The standing judge's verdict, its probabilities the shares of known labels under each of its verdicts.

    Counted over other items' labels, with one label of each kind added.
    """
    verdict = np.zeros(held.size, dtype=np.int64)
    for item, _, said in alone:
        verdict[item] = said
    counts = np.ones((3, 3))
    for item, _, said in known:
        counts[verdict[item] + 1, said + 1] += 1
    counts = (counts + counts[::-1, ::-1]) / 2
    table = np.repeat(counts[None], held.size, axis=0)
    for item, _, said in known:  # its own label out
        table[item, verdict[item] + 1, said + 1] -= 0.5
        table[item, 1 - verdict[item], 1 - said] -= 0.5
    shares = table[np.arange(held.size), verdict + 1]
    return shares / shares.sum(axis=1, keepdims=True), verdict


def trial(held: Set, standing: str, share: float, most: int, seed: int) -> dict[str, np.ndarray]:
    """{contender: (evaluated items, 2)}: log-loss and hit of each held-out label."""
    rng = np.random.default_rng(seed)
    wanted, known = {}, []
    for item in range(held.size):
        said = [held.people[item][place] for place in rng.permutation(len(held.people[item]))]
        if len(said) > 1:
            wanted[item] = said.pop(0)[2]
        if said and rng.random() < share:
            known += said[:most]
    items, target = np.array(list(wanted)), np.array(list(wanted.values()))
    given = contenders(held, known, standing)
    return {
        name: np.stack([-np.log(chance[items, target + 1]), verdict[items] == target], axis=1)
        for name, (chance, verdict) in given.items()
    }


def compared(
    held: Set, runs: list[dict[str, np.ndarray]]
) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """(contender, means (2,), low and high (2,) of its difference to `fused`), resampling prompts and seeds."""
    items = np.array([item for item in range(held.size) if len(held.people[item]) > 1])
    _, prompt = np.unique(held.prompts[items], return_inverse=True)
    size = prompt.max() + 1
    per_prompt = np.bincount(prompt, minlength=size)
    rng = np.random.default_rng(0)
    picks = [(rng.integers(0, len(runs), len(runs)), rng.integers(0, size, size)) for _ in range(DRAWS)]
    rows = []
    for name in runs[0]:
        apart = np.stack([run["fused"] - run[name] for run in runs])  # (S, n, 2)
        summed = np.stack(
            [[np.bincount(prompt, weights=one[:, at], minlength=size) for at in (0, 1)] for one in apart]
        )  # (S, 2, prompts)
        draws = [summed[seeds].mean(axis=0)[:, at].sum(axis=1) / per_prompt[at].sum() for seeds, at in picks]
        low, high = np.quantile(draws, (0.025, 0.975), axis=0)
        rows.append((name, np.mean([run[name].mean(axis=0) for run in runs], axis=0), low, high))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("fused.md"))
    wanted = parser.parse_args()
    lines = [
        "# Fused labels against held-out people\n",
        machine.describe() + f"; {wanted.seeds} seeds.\n",
        f"`OMP_NUM_THREADS=1 .venv/bin/python bench/fused.py --seeds {wanted.seeds}`\n",
        (__doc__ or "").split("\n\n")[2].replace("\n", " ") + "\n",
        "*fused −*: fused minus that contender, 95 %: better below zero for the log-loss, above it for accuracy.\n",
    ]
    for name, standing in SETS.items():
        held = read(name)
        evaluated = sum(len(said) > 1 for said in held.people.values())
        lines.append(f"## {name}, judge `{standing}`, {evaluated} pairs with a held-out label\n")
        lines.append(
            "| known | contender | log-loss | fused − | accuracy | fused − |\n|---|---|---|---|---|---|"
        )
        for title, share, most in CASES:
            runs = [trial(held, standing, share, most, seed) for seed in range(wanted.seeds)]
            for who, mean, low, high in compared(held, runs):
                apart = [f"{low[at]:+.4f} … {high[at]:+.4f}" if who != "fused" else "" for at in (0, 1)]
                lines.append(f"| {title} | {who} | {mean[0]:.4f} | {apart[0]} | {mean[1]:.4f} | {apart[1]} |")
        lines.append("")
        print(name, "done", flush=True)
    wanted.output.write_text("\n".join(lines))


if __name__ == "__main__":
    main()
