"""What a container is: it turns batches of rows into the bytes of a file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from exports.formats.base import Row
from exports.formats.columns import Columns


@dataclass(slots=True)
class Batch:
    """Rows beside their canonical lines, each without its newline, and the lines' bytes."""

    rows: list[Row]
    lines: list[bytes]
    size: int = 0

    def text(self) -> bytes:
        """The batch as JSON Lines."""
        return b"\n".join([*self.lines, b""])


@dataclass(frozen=True)
class Container:
    """A registry entry.

    `encode(batches, columns)` streams: it yields the file's bytes as the batches come, holding few of them
    at a time. Where it `resumes`, each part that it yields ends a batch, and the bytes after it follow from the
    later batches alone.
    """

    name: str
    label: str
    suffix: str
    content_type: str
    encode: Callable[[Iterable[Batch], Columns], Iterator[bytes]]
    flat_only: bool = False
    resumes: bool = False
