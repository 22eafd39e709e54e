"""Train, validation and test splits by prompt group, with near-duplicate prompts in one group.

Near-duplicates are found by MinHash (Broder 1997) over word trigrams: 32 permutations in 8 bands of
4 rows make two prompts candidates with probability 1 - (1 - s^4)^8 at Jaccard similarity s (half at 0.54),
and candidates whose signatures agree in at least 0.6 of the 32 places are joined.
"""

import re
import zlib
from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

PERMUTATIONS, BANDS = 32, 8
ALIKE = 0.6
PRIME = np.uint64((1 << 31) - 1)
WORD = re.compile(r"\w+")
_draw = np.random.default_rng(20250101)
SCALE = _draw.integers(1, int(PRIME), PERMUTATIONS, dtype=np.uint64)[:, None]
SHIFT = _draw.integers(0, int(PRIME), PERMUTATIONS, dtype=np.uint64)[:, None]


def signature(text: str) -> NDArray[np.uint32]:
    """The MinHash signature of a prompt: (PERMUTATIONS,). Case, spacing and punctuation do not count."""
    words = WORD.findall(text.lower()) or [text]
    grams = {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}
    hashes = np.fromiter((zlib.crc32(gram.encode()) for gram in grams), np.uint64, len(grams)) % PRIME  # (G,)
    return ((SCALE * hashes + SHIFT) % PRIME).min(axis=1).astype(np.uint32)  # (P, G) -> (P,)


class Groups:
    """Prompts joined with their near-duplicates; `of(key)` is the group's name, the least key in it.

    A union-find over the order of arrival, path halving; the state is some 200 bytes a prompt.
    """

    def __init__(self, prompts: Iterable[tuple[str, str]]) -> None:
        """`prompts`: (key, text), each key once."""
        self.keys: list[str] = []
        rows = []
        for key, text in prompts:
            self.keys.append(key)
            rows.append(signature(text))
        self.parent = np.arange(len(rows), dtype=np.int64)
        if rows:
            self._join(np.stack(rows))
        self.names = self._name()

    def of(self, key: str) -> str:
        return self.names.get(key, key)

    def _join(self, signatures: NDArray[np.uint32]) -> None:
        """Joins neighbours in each band's order of buckets; signatures: (N, P)."""
        width = PERMUTATIONS // BANDS
        for band in range(BANDS):
            part = np.ascontiguousarray(signatures[:, band * width : (band + 1) * width])
            bucket = part.view(np.dtype((np.void, part.dtype.itemsize * width))).ravel()
            order = np.argsort(bucket, kind="stable")
            same = bucket[order[1:]] == bucket[order[:-1]]
            for at in np.flatnonzero(same):
                left, right = order[at], order[at + 1]
                if (signatures[left] == signatures[right]).mean() >= ALIKE:
                    self._union(int(left), int(right))

    def _root(self, item: int) -> int:
        parent = self.parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = int(parent[item])
        return item

    def _union(self, left: int, right: int) -> None:
        left, right = self._root(left), self._root(right)
        self.parent[max(left, right)] = min(left, right)

    def _name(self) -> dict[str, str]:
        """{key: least key of its group}, for groups of more than one."""
        roots = np.fromiter((self._root(i) for i in range(len(self.keys))), np.int64, len(self.keys))
        crowded = np.bincount(roots, minlength=len(roots))[roots] > 1
        least: dict[int, str] = {}
        for item in np.flatnonzero(crowded):
            root = int(roots[item])
            least[root] = min(least.get(root, self.keys[item]), self.keys[item])
        return {self.keys[item]: least[int(roots[item])] for item in np.flatnonzero(crowded)}


def split_of(group: str, shares: dict[str, float], *, seed: int) -> str:
    """The split that a group falls into: the same for the same name and seed, on every machine.

    >>> split_of("p1", {"train": 1.0}, seed=0)
    'train'
    """
    place = unit(group, seed=seed)
    edge = 0.0
    for name, share in shares.items():
        edge += share
        if place < edge:
            return name
    return name


def unit(key: str, *, seed: int) -> float:
    """A number in [0, 1) drawn by `key` and `seed`: 53 bits of BLAKE2b."""
    digest = blake2b(key.encode(), digest_size=8, salt=seed.to_bytes(8, "little")).digest()
    return (int.from_bytes(digest, "little") >> 11) / (1 << 53)
