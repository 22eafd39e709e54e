"""The pairs of an exported file, as texts: what the probe is trained on."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from heapq import heappush, heapreplace
from typing import Any

from exports.selection import plain

SLICES = ("source", "aspect", "route", "subset", "level")  # columns by which accuracy is told apart


@dataclass(frozen=True, slots=True)
class Sample:
    """A pair of the file: texts, its prompt's group, its split and its slices."""

    prompt: str
    chosen: str
    rejected: str
    group: str
    split: str
    slices: tuple[tuple[str, str], ...]


def samples(rows: Iterable[dict[str, Any]]) -> Iterator[Sample]:
    """The pairs among the rows; rows without a chosen and a rejected text are passed over."""
    for row in rows:
        if isinstance(row.get("chosen"), str | list) and isinstance(row.get("rejected"), str | list):
            yield as_sample(row)


def as_sample(row: dict[str, Any]) -> Sample:
    prompt, chosen, rejected = row.get("prompt"), row["chosen"], row["rejected"]
    if prompt is None and isinstance(
        chosen, list
    ):  # implicit: the turns before the last belong to the prompt
        prompt, chosen, rejected = chosen[:-1], chosen[-1:], rejected[-1:]
    text = plain(prompt or "")
    return Sample(
        prompt=text,
        chosen=plain(chosen),
        rejected=plain(rejected),
        group=blake2b(text.encode(), digest_size=16).hexdigest(),
        split=str(row.get("split") or ""),
        slices=tuple((name, str(row[name])) for name in SLICES if row.get(name)),
    )


def drawn(pairs: Iterable[Sample], *, most: int, seed: int) -> list[Sample]:
    """At most `most` of the pairs, drawn by a hash of their texts: the same ones every time, in one pass."""
    held: list[tuple[int, int, Sample]] = []
    for place, pair in enumerate(pairs):
        key = -drawing(pair, seed)
        if len(held) < most:
            heappush(held, (key, place, pair))
        elif key > held[0][0]:
            heapreplace(held, (key, place, pair))
    return [pair for _, _, pair in sorted(held, reverse=True)]


def drawing(pair: Sample, seed: int) -> int:
    text = "\x00".join((pair.prompt, pair.chosen, pair.rejected))
    digest = blake2b(text.encode(), digest_size=8, salt=seed.to_bytes(8, "little")).digest()
    return int.from_bytes(digest, "little")
