"""A hash of a dataset: the root of a Merkle tree over its rows, computed while they stream by.

RFC 6962, section 2.1: a leaf is SHA-256 of `0x00` and the row's bytes, an inner node that of `0x01`
and its two children (so that no row can pass for a node), an odd node moves up unchanged. Memory is
one digest a level: 20 for a million rows. A tree, not a running hash, so that one row can be proved
to belong to a snapshot with `log2 n` digests.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY = sha256(b"").hexdigest()


def leaf(row: bytes) -> bytes:
    return sha256(b"\x00" + row).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Merkle:
    """Takes rows in order; `root()` may be asked for at any time.

    >>> tree = Merkle(); tree.add(b"a"); tree.add(b"b"); tree.add(b"c")
    >>> tree.root() == node(node(leaf(b"a"), leaf(b"b")), leaf(b"c")).hex()
    True
    """

    def __init__(self, rows: int = 0, peaks: Sequence[bytes] = ()) -> None:
        """Empty, or as another tree stood after `rows`, given the `peaks` that it had."""
        self.rows = rows
        self.peaks = list(
            peaks
        )  # the roots of the complete subtrees, left to right: one for each bit of `rows`

    def add(self, row: bytes) -> None:
        """Takes one row; many are taken faster by `extend`."""
        self.extend((row,))

    def extend(self, rows: Iterable[bytes]) -> None:
        """Takes many rows at once: level by level, in the time that SHA-256 takes."""
        digests = [sha256(b"\x00" + row).digest() for row in rows]
        held, self.rows = self.rows, self.rows + len(digests)
        peaks, left = self.peaks, []
        while digests:
            if held & 1:  # a carry of the binary counter: the last subtree of this height gets its sibling
                digests.insert(0, peaks.pop())
            if len(digests) & 1:
                left.append(digests.pop())
            pairs = iter(digests)
            digests = [
                sha256(b"\x01" + one + other).digest() for one, other in zip(pairs, pairs, strict=True)
            ]
            held >>= 1
        peaks.extend(reversed(left))

    def root(self) -> str:
        """The root as 64 hexadecimal digits."""
        if not self.peaks:
            return EMPTY
        *rest, digest = self.peaks
        for left in reversed(rest):
            digest = node(left, digest)
        return digest.hex()


def root_of(rows: Iterable[bytes]) -> str:
    tree = Merkle()
    tree.extend(rows)
    return tree.root()
