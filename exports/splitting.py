"""Train, validation and test splits by prompt group, with near-duplicate prompts in one group.

Near-duplicates are found by MinHash (Broder 1997) over word trigrams: 32 permutations in 8 bands of
4 rows make two prompts candidates with probability 1 - (1 - s^4)^8 at Jaccard similarity s (half at 0.54),
and candidates whose signatures agree in at least 0.6 of the 32 places are joined.
"""

import os
import re
import zlib
from array import array
from collections.abc import Iterable
from hashlib import blake2b
from tempfile import TemporaryFile
from typing import IO

import numpy as np
import orjson
from numpy.typing import NDArray

from exports.seen import key64

PERMUTATIONS, BANDS = 32, 8
ALIKE = 0.6
WIDTH, ROW = PERMUTATIONS // BANDS, PERMUTATIONS * 4  # values of a band, bytes of a signature
CHUNK = 1 << 14  # signatures looked at together
PRIME = np.uint64((1 << 31) - 1)
WORD = re.compile(r"\w+")
_draw = np.random.default_rng(20250101)
SCALE = _draw.integers(1, int(PRIME), PERMUTATIONS, dtype=np.uint64)[:, None]
SHIFT = _draw.integers(0, int(PRIME), PERMUTATIONS, dtype=np.uint64)[:, None]


MIX = np.random.default_rng(20250102).integers(1, 1 << 63, WIDTH, dtype=np.uint64) * np.uint64(2) + np.uint64(
    1
)


def signature(text: str) -> NDArray[np.uint32]:
    """The MinHash signature of a prompt: (PERMUTATIONS,). Case, spacing and punctuation do not count."""
    words = WORD.findall(text.lower()) or [text]
    grams = {" ".join(words[i : i + 3]) for i in range(max(1, len(words) - 2))}
    hashes = np.fromiter((zlib.crc32(gram.encode()) for gram in grams), np.uint64, len(grams)) % PRIME  # (G,)
    return ((SCALE * hashes + SHIFT) % PRIME).min(axis=1).astype(np.uint32)  # (P, G) -> (P,)


class Groups:
    """Prompts joined with their near-duplicates; `of(key)` is the group's name, the least key in it.

    A union-find over the order of arrival, path halving. Signatures and keys wait in files, one band is sorted
    at a time: some 20 bytes of memory a prompt, and 30 for each prompt of a group of several.
    """

    def __init__(self, prompts: Iterable[tuple[str, str]]) -> None:
        """`prompts`: (key, text), each key once."""
        with TemporaryFile() as signatures, TemporaryFile() as keys:
            size = 0
            for key, text in prompts:
                signatures.write(signature(text).tobytes())
                keys.write(orjson.dumps(key) + b"\n")
                size += 1
            signatures.flush()
            self.parent = np.arange(size, dtype=np.int32)
            for band in range(BANDS):
                self._join(signatures, band)
            keys.seek(0)
            self._name(keys)
        del self.parent

    def of(self, key: str) -> str:
        """The group's name; the key itself where it stands alone."""
        digest = np.uint64(key64(key))
        at = int(np.searchsorted(self.crowded, digest))
        if at == len(self.crowded) or self.crowded[at] != digest:
            return key
        return orjson.loads(self.names[self.group[at]])

    def _join(self, signatures: IO[bytes], band: int) -> None:
        """Joins neighbours in the band's order of buckets."""
        bucket = buckets(signatures, band, len(self.parent))
        order = np.argsort(bucket, kind="stable")
        for start in range(0, len(order) - 1, CHUNK):
            part = order[start : start + CHUNK + 1]
            for at in np.flatnonzero(bucket[part[1:]] == bucket[part[:-1]]):
                left, right = int(part[at]), int(part[at + 1])
                if self._root(left) != self._root(right) and alike(signatures, left, right):
                    self._union(left, right)

    def _root(self, item: int) -> int:
        parent = self.parent
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = int(parent[item])
        return item

    def _union(self, left: int, right: int) -> None:
        left, right = self._root(left), self._root(right)
        self.parent[max(left, right)] = min(left, right)

    def _name(self, keys: IO[bytes]) -> None:
        """Sets, for the prompts of groups of more than one, sorted by digest: `crowded`, `group`; and `names`."""
        roots = np.fromiter((self._root(i) for i in range(len(self.parent))), np.int32, len(self.parent))
        several = np.bincount(roots, minlength=len(roots))[roots] > 1
        numbers: dict[int, int] = {}
        names: list[bytes] = []
        digests, groups = array("Q"), array("I")
        for line, root, crowded in zip(keys, roots, several, strict=True):
            if crowded:
                key = line[:-1]
                number = numbers.setdefault(int(root), len(names))
                if number == len(names):
                    names.append(key)
                names[number] = min(names[number], key, key=orjson.loads)
                digests.append(key64(orjson.loads(key)))
                groups.append(number)
        found = np.frombuffer(digests, np.uint64) if digests else np.zeros(0, np.uint64)
        order = np.argsort(found)
        self.crowded, self.names = found[order], names
        self.group = np.frombuffer(groups, np.uint32)[order] if groups else np.zeros(0, np.uint32)


def buckets(signatures: IO[bytes], band: int, size: int) -> NDArray[np.uint64]:
    """The band of every signature as 64 bits, (N,): equal bands are equal, others hardly ever."""
    found = np.empty(size, dtype=np.uint64)
    for start in range(0, size, CHUNK):
        rows = min(CHUNK, size - start)
        block = os.pread(signatures.fileno(), rows * ROW, start * ROW)
        part = (
            np.frombuffer(block, np.uint32).reshape(rows, BANDS, WIDTH)[:, band].astype(np.uint64)
        )  # (rows, WIDTH)
        mixed = (part * MIX).sum(axis=1)  # modulo 2^64
        found[start : start + rows] = (mixed ^ (mixed >> np.uint64(29))) * MIX[0]
    return found


def alike(signatures: IO[bytes], left: int, right: int) -> bool:
    """Whether two signatures agree in enough places."""
    one, other = (
        np.frombuffer(os.pread(signatures.fileno(), ROW, at * ROW), np.uint32) for at in (left, right)
    )
    return bool((one == other).mean() >= ALIKE)


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
