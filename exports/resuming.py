"""Files that are taken up again where a killed worker left them.

What is being written lies beside the file, `.NAME.part`, and next to it the last mark, `.NAME.mark`: how many
bytes of it are safely on the disk, the rows in them, and the hash tree as it stood there. A crash leaves both;
whoever comes next cuts the part at the mark and goes on. The rows before the mark are read again, since choices
depend on them, but neither packed, hashed nor written.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import orjson

from exports.merkle import Merkle
from exports.problems import NotReady
from exports.writing import refused, write_whole
from web.problems import Problem

MARK_BYTES = 32 * 1024 * 1024  # between two marks


@dataclass(frozen=True)
class Mark:
    """A seam of the file: all rows so far are in its first `size` bytes."""

    size: int = 0
    rows: int = 0
    peaks: tuple[str, ...] = ()

    def tree(self) -> Merkle:
        """The hash tree as it stood."""
        return Merkle(self.rows, [bytes.fromhex(peak) for peak in self.peaks])


@dataclass
class Part:
    """The file that is being written, held by this process alone."""

    path: Path
    file: IO[bytes]
    mark: Mark

    def write(self, parts: Iterable[bytes], tree: Merkle) -> int:
        """Appends the parts, each of which ends where `tree` then stands; returns the whole size in bytes."""
        size, marked = self.mark.size, self.mark.size
        for part in parts:
            size += self.file.write(part)
            if size - marked >= MARK_BYTES:
                self.sync()
                note(mark_of(self.path), Mark(size, tree.rows, tuple(peak.hex() for peak in tree.peaks)))
                marked = size
        self.sync()
        return size

    def sync(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())


@contextmanager
def held_part(path: Path, *, resumes: bool) -> Iterator[Part]:
    """The part of `path`, cut at its last mark, or empty; it takes the file's place at the end.

    A refusal or the system's error takes it away; whatever else ends the process leaves it for the next.
    Raises `NotReady` where another process writes it, `CannotWrite`. Lock: the part itself (flock).
    """
    beside = part_of(path)
    try:
        with beside.open("ab") as file:
            take(file, path)
            mark = found_mark(path, beside) if resumes else Mark()
            file.truncate(mark.size)
            yield Part(path, file, mark)
            beside.replace(path)
    except NotReady:
        raise
    except OSError as error:
        drop(path)
        raise refused(path, error) from error
    except Problem:
        drop(path)
        raise
    drop(path)


def take(file: IO[bytes], path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise NotReady(f"{path.name} is being written by another worker.", path=path.name) from error


def drop(path: Path) -> None:
    """Takes away what a crash would leave."""
    part_of(path).unlink(missing_ok=True)
    mark_of(path).unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def mark_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.mark")


def note(place: Path, mark: Mark) -> None:
    facts = {"size": mark.size, "rows": mark.rows, "peaks": mark.peaks}
    write_whole(place, [orjson.dumps(facts)])


def found_mark(path: Path, beside: Path) -> Mark:
    """The last mark, where the part holds what it says; else the beginning."""
    place = mark_of(path)
    if not place.exists():
        return Mark()
    facts = orjson.loads(place.read_bytes())
    mark = Mark(facts["size"], facts["rows"], tuple(facts["peaks"]))
    return mark if beside.stat().st_size >= mark.size else Mark()
