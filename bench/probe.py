"""How well the probe's head agrees with people, beside "the longer wins", on the real sets.

    .venv/bin/python bench/probe.py [--sets pandalm,mtbench,ukp_convarg,conala_code] [--seeds 5] [--vectors FOLDER]

A row is a set and what the head reads: `length`, `length and style`, MiniLM's sentence embeddings, the small language
model's middle layer (mean and last token), or both. Every pair is scored by a head that saw no label of its prompt
(five folds); the model along the head's path is chosen inside the four. A seed deals the prompts to folds anew.
`agreement` is with the people's majority, undecided pairs left out, ties of a judge half; the difference to the longer
response is on the same pairs, its 95 % interval by 2,000 bootstraps of prompts of the seeds' mean. CoNaLa's ratings
become pairs of responses whose mean grades differ, at most four an intent. Vectors are kept in FOLDER, since they take
minutes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from bench.machine import describe
from judges.backends.probe import style_of
from judges.items import Item, Message
from judges.loading import continuation
from judges.representations import loaded_encoder, texts_of
from ledger.representations import text_hash
from quality.probe import cross_fit, features

Floats = NDArray[np.float64]
SETS = ROOT.parent / "shared" / "data"
READS = {"length": (), "length and style": (), "MiniLM": ("minilm",), "SmolLM2": ("smollm2",)}
READS["MiniLM and SmolLM2"] = ("minilm", "smollm2")
BOOTSTRAPS = 2000


@dataclass(frozen=True)
class Pair:
    """Two responses to a prompt, and the mean of the people's verdicts on them, -1…1."""

    item: Item
    verdict: float


def pairs_of(name: str) -> list[Pair]:
    """The set's pairs that people have judged."""
    with gzip.open(SETS / f"{name}.jsonl.gz", "rt") as lines:
        records = [json.loads(line) for line in lines]
    found = [pair for at, record in enumerate(records) for pair in pairs_in(record, at)]
    return [pair for pair in found if pair.verdict == pair.verdict]


def pairs_in(record: dict[str, Any], at: int) -> list[Pair]:
    asked = record["prompt"]
    turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
    prompt = tuple(Message(turn["role"], turn["content"]) for turn in turns)
    texts = [continuation(one["text"], one.get("messages")) for one in record["responses"]]
    if record["human"][0]["task"] == "pairwise":
        verdict = float(np.mean([np.sign(label["value"]) for label in record["human"]]))
        return [Pair(Item(at, prompt, tuple(texts)), verdict)]
    grades: dict[str, list[float]] = {one["id"]: [] for one in record["responses"]}
    for label in record["human"]:
        grades[label["response"]].append(label["value"])
    means = [float(np.mean(g)) if g else np.nan for g in grades.values()]
    made = [
        Pair(Item(at, prompt, (texts[i], texts[j])), float(np.sign(means[j] - means[i])))
        for i, j in combinations(range(len(texts)), 2)
    ]
    made = [pair for pair in made if pair.verdict in (-1, 1)]
    return [made[k] for k in np.random.default_rng(at).permutation(len(made))[:4]]


def vectors_of(pairs: list[Pair], encoder: str, kept: Path) -> tuple[Floats, Floats]:
    """Prompts (N, E) and responses (N, 2, E), from `kept` where they were computed before."""
    texts = [text for pair in pairs for text in flat(texts_of(pair.item, encoder))]
    known = dict(np.load(kept)) if kept.exists() else {}
    names = {text: text_hash(text).hex() for text in dict.fromkeys(texts)}
    missing = [text for text, name in names.items() if name not in known]
    if missing:
        started = time.process_time()
        made = loaded_encoder(encoder).encode(missing).astype(np.float16)
        took = time.process_time() - started
        print(f"{kept.stem}: {len(missing)} texts in {took:.0f} processor seconds", file=sys.stderr)
        known.update({names[text]: vector for text, vector in zip(missing, made, strict=True)})
        np.savez(kept, **known)
    rows = np.array([known[names[text]] for text in texts], dtype=float).reshape(len(pairs), 3, -1)
    return rows[:, 0], rows[:, 1:]


def flat(texts: tuple[str, list[str]]) -> list[str]:
    return [texts[0], *texts[1]]


def rows_of(pairs: list[Pair], read: str, folder: Path, name: str) -> tuple[Floats, tuple[int, ...]]:
    """φ(1) - φ(0) of the pairs (N, D), and the widths of its blocks."""
    style = np.array([[style_of(text) for text in pair.item.responses] for pair in pairs])
    style = style[:, :, :1] if read == "length" else style
    blocks, widths = [], []
    for encoder in READS[read]:
        prompts, said = vectors_of(pairs, encoder, folder / f"{encoder}-{name}.npz")
        nothing = np.zeros((len(pairs), 0))
        first, second = (features(prompts=prompts, responses=said[:, k], style=nothing) for k in (0, 1))
        blocks.append(second - first)
        widths += [said.shape[2]] * 2
    blocks.append(style[:, 1] - style[:, 0])
    return np.concatenate(blocks, axis=1), (*widths, style.shape[2])


def right(scores: Floats, majority: Floats) -> Floats:
    """1 where the sign is the majority's, a half where there is none, else 0."""
    return np.where(scores == 0, 0.5, np.sign(scores) == majority)


def interval(values: Floats, groups: Floats) -> tuple[float, float]:
    """The mean's 95 % interval by bootstraps of whole prompts."""
    codes = np.unique(groups, return_inverse=True)[1]
    sums, counts = np.bincount(codes, values), np.bincount(codes)
    drawn = np.random.default_rng(0).integers(0, len(counts), (BOOTSTRAPS, len(counts)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def table(name: str, folder: Path, seeds: int) -> list[str]:
    pairs = pairs_of(name)
    verdict = np.array([pair.verdict for pair in pairs])
    groups = np.unique([repr(pair.item.prompt) for pair in pairs], return_inverse=True)[1]
    decided, majority = verdict != 0, np.sign(verdict)
    sizes = np.array([[len(text) for text in pair.item.responses] for pair in pairs])
    longer = right(np.sign(sizes[:, 1] - sizes[:, 0]).astype(float), majority)
    lines = []
    for read in READS:
        rows, widths = rows_of(pairs, read, folder, name)
        got, took, chosen = [], [], []
        for seed in range(seeds):
            started = time.process_time()
            found = cross_fit(rows, (1 + verdict) / 2, groups=groups, widths=widths, seed=seed)
            took.append((time.process_time() - started) / 5)
            got.append(right(found.log_odds, majority))
            chosen += [head.ridge for head in found.heads]
        each = [float(one[decided].mean()) for one in got]
        gain = (np.mean(got, axis=0) - longer)[decided]
        low, high = interval(gain, groups[decided])
        kept = np.median(chosen)
        lines.append(
            f"| {name} | {read} | {decided.sum()} | {np.mean(each):.3f} ({min(each):.3f} … {max(each):.3f}) | "
            f"{longer[decided].mean():.3f} | {gain.mean():+.3f} [{low:+.3f}, {high:+.3f}] | "
            f"{'–' if np.isinf(kept) else f'{kept:g}'} | {np.median(took):.2f} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default="pandalm,mtbench,ukp_convarg,conala_code")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--vectors", type=Path, default=Path(settings.MODELS_CACHE) / "bench")
    options = parser.parse_args()
    options.vectors.mkdir(parents=True, exist_ok=True)
    print(f"{describe()}, {options.seeds} seeds\n")
    print(
        "| set | the head reads | pairs | agreement (least … most seed) | the longer wins | difference [95 %] | "
        "median ridge | cpu s a fit |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    for name in options.sets.split(","):
        print("\n".join(table(name, options.vectors, options.seeds)), flush=True)


if __name__ == "__main__":
    main()
