"""A hash of a dataset: the root of a Merkle tree over its rows, computed while they stream by.

RFC 6962, section 2.1: a leaf is SHA-256 of `0x00` and the row's bytes, an inner node that of `0x01`
and its two children (so that no row can pass for a node), an odd node moves up unchanged. Memory is
one digest a level: 20 for a million rows. A tree, not a running hash, so that one row can be proved
to belong to a snapshot with `log2 n` digests.
"""

from collections.abc import Iterable
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

    def __init__(self) -> None:
        self.rows = 0
        self._peaks: list[bytes] = []  # the roots of the complete subtrees, left to right

    def add(self, row: bytes) -> None:
        digest, peaks = leaf(row), self._peaks
        self.rows += 1
        joins = self.rows  # a carry of the binary counter joins two subtrees of one height
        while not joins & 1:
            digest = node(peaks.pop(), digest)
            joins >>= 1
        peaks.append(digest)

    def root(self) -> str:
        """The root as 64 hexadecimal digits."""
        if not self._peaks:
            return EMPTY
        *rest, digest = self._peaks
        for left in reversed(rest):
            digest = node(left, digest)
        return digest.hex()


def root_of(rows: Iterable[bytes]) -> str:
    tree = Merkle()
    for row in rows:
        tree.add(row)
    return tree.root()
