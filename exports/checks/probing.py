"""The probe before training: what a Bradley-Terry head over frozen embeddings learns from an export.

The head is cross-fitted by prompt group (near-duplicates in one), so every pair is scored by a head that
saw none of its prompt's labels. Beside its accuracy stands what length alone reaches, how alike the
splits are, and how many labels look flipped. Shapes: N pairs, E the encoder's width.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import log1p
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exports.checks.samples import Sample
from exports.splitting import Groups
from quality.bias import style_counts
from quality.probe import LEAST_ROWS, cross_fit, features

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Report = dict[str, Any]

CHUNK = 64  # pairs encoded between two looks at the clock
SHARE = 0.6  # of the time, spent on encoding
LEAST_SLICE = 20  # pairs below which a slice's accuracy says nothing
NORMAL = 1.96


def probe(pairs: Sequence[Sample], encode: Encode, *, seconds: float, seed: int = 0) -> Report:
    """Held-out accuracy, by slice too; what length explains; leakage between splits; label noise.

    Encodes as many of the pairs as the time allows, in their order; `seconds` bounds the whole within a fit.
    """
    groups = grouped(pairs)
    report: Report = {"pairs": len(pairs), "leakage": leakage(pairs, groups)}
    rows = differences(pairs, encode, until=monotonic() + SHARE * seconds)
    used, held = len(rows), groups[: len(rows)]
    if used < LEAST_ROWS or len(np.unique(held)) < 5:
        return {**report, "probed": used, "reason": f"{used} pairs are too few to learn from"}
    style = len(style_of(""))
    width = (rows.shape[1] - style) // 2
    turned = np.where(np.random.default_rng(seed).random(used) < 0.5, -1.0, 1.0)  # so that order says nothing
    labels = (turned > 0).astype(float)
    head = cross_fit(rows * turned[:, None], labels, groups=held, widths=(width, width, style), seed=seed)
    right = (head.log_odds * turned) > 0
    certain = head.probability
    own = np.where(turned > 0, certain, 1 - certain)
    return {
        **report,
        "probed": used,
        "accuracy": proportion(right),
        "slices": by_slice(pairs[:used], right),
        "length": length_report(rows[:, -style], own, turned, held, seed=seed),
        "noise": noise(own),
    }


# ---------------------------------------------------------------- features


def differences(pairs: Sequence[Sample], encode: Encode, *, until: float) -> Floats:
    """φ(chosen) - φ(rejected) of as many pairs as are encoded before `until`, (n, 2E + S)."""
    parts, remembered = [], Remembered(encode)
    for at in range(0, len(pairs), CHUNK):
        parts.append(chunk_differences(pairs[at : at + CHUNK], remembered))
        if monotonic() > until:
            break
    return np.concatenate(parts) if parts else np.zeros((0, 0))


class Remembered:
    """An encoder that encodes a text once: prompts repeat."""

    def __init__(self, encode: Encode) -> None:
        self.encode = encode
        self.known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        fresh = [text for text in dict.fromkeys(texts) if text not in self.known]
        if fresh:
            self.known.update(zip(fresh, self.encode(fresh), strict=True))
        return np.stack([self.known[text] for text in texts])


def chunk_differences(chunk: Sequence[Sample], encode: Encode) -> Floats:
    texts = [text for pair in chunk for text in (pair.prompt, pair.chosen, pair.rejected)]
    vectors = encode(texts).astype(float).reshape(len(chunk), 3, -1)  # (n, 3, E)
    sides = [
        features(
            prompts=vectors[:, 0],
            responses=vectors[:, side],
            style=np.array([style_of(text) for text in said]),
        )
        for side, said in ((1, [pair.chosen for pair in chunk]), (2, [pair.rejected for pair in chunk]))
    ]
    return sides[0] - sides[1]


def style_of(text: str) -> list[float]:
    """Length first, then the style counts, in logarithms."""
    return [log1p(len(text)), *(log1p(count) for count in style_counts(text))]


# ---------------------------------------------------------------- figures


def proportion(right: Bools) -> Report:
    """A share with its Wilson interval (Wilson 1927) and n."""
    n = len(right)
    share = float(right.mean())
    centre, spread = (
        share + NORMAL**2 / (2 * n),
        NORMAL * np.sqrt(share * (1 - share) / n + NORMAL**2 / (4 * n * n)),
    )
    scale = 1 + NORMAL**2 / n
    return {
        "share": share,
        "low": float((centre - spread) / scale),
        "high": float((centre + spread) / scale),
        "n": n,
    }


def by_slice(pairs: Sequence[Sample], right: Bools) -> dict[str, Report]:
    """{"source=human": accuracy} for every slice with enough pairs."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, pair in enumerate(pairs):
        for name, value in pair.slices:
            places[f"{name}={value}"].append(place)
    return {name: proportion(right[at]) for name, at in sorted(places.items()) if len(at) >= LEAST_SLICE}


def length_report(longer: Floats, own: Floats, turned: Floats, groups: Ints, *, seed: int) -> Report:
    """How often the longer is chosen, what a head over length alone reaches, and its share of the probe's gain.

    The share is of the log-loss: (ln 2 - loss of length) / (ln 2 - loss of the probe), both held out; null where
    the probe itself explains nothing.
    """
    column = (longer * turned)[:, None]
    alone = cross_fit(column, (turned > 0).astype(float), groups=groups, widths=(0, 1), seed=seed)
    held = np.where(turned > 0, alone.probability, 1 - alone.probability)
    gains = [float(np.log(2) + np.log(np.clip(p, 1e-9, 1)).mean()) for p in (held, own)]
    return {
        "longer_chosen": proportion(longer[longer != 0] > 0) if (longer != 0).any() else None,
        "accuracy": proportion((alone.log_odds * turned) > 0),
        "share_of_gain": max(0.0, gains[0] / gains[1]) if gains[1] > 0 else None,
    }


def noise(own: Floats) -> Report:
    """The share of labels that look flipped: confident learning's count (Northcutt et al. 2021, eq. 1).

    own: P(the label as given), held out. A label counts as flipped where the other answer is at least as
    sure as a given answer is on average. It errs high where the probe is weak.
    """
    threshold = own.mean()
    flipped, kept = (1 - own >= threshold).sum(), (own >= threshold).sum()
    return {
        "estimate": float(flipped / (flipped + kept)) if flipped + kept else None,
        "suspects": int(flipped),
    }


# ---------------------------------------------------------------- splits


def grouped(pairs: Sequence[Sample]) -> Ints:
    """The number of each pair's group of near-duplicate prompts, (N,)."""
    distinct = {pair.group: pair.prompt for pair in pairs}
    groups = Groups(distinct.items())
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(groups.of(pair.group), len(codes)) for pair in pairs], dtype=np.int64)


def leakage(pairs: Sequence[Sample], groups: Ints) -> Report | None:
    """How many pairs of the smaller splits have a near-duplicate prompt in the largest; None without splits."""
    splits: dict[str, set[int]] = defaultdict(set)
    sizes: dict[str, int] = defaultdict(int)
    for pair, group in zip(pairs, groups, strict=True):
        splits[pair.split].add(int(group))
        sizes[pair.split] += 1
    if len(splits) < 2:
        return None
    largest = max(sizes, key=lambda split: sizes[split])
    held = [
        int(group) in splits[largest]
        for pair, group in zip(pairs, groups, strict=True)
        if pair.split != largest
    ]
    return {"splits": dict(sizes), "against": largest, "pairs": sum(held), "share": sum(held) / len(held)}
