"""Files that appear whole or not at all."""

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from exports.problems import CannotWrite


def write_whole(path: Path, parts: Iterable[bytes]) -> int:
    """Writes `parts` to `path` and returns the bytes written: beside it first, synced, then renamed over it.

    Raises `CannotWrite` where the folder is missing or the disk full; a file already there stays as it was.
    """
    with temporary_beside(path) as beside:
        with beside.open("wb") as file:
            size = sum(file.write(part) for part in parts)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    return size


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """A name beside `path` that is gone afterwards, whatever happens; `OSError` becomes `CannotWrite`."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield beside
    except OSError as error:
        raise refused(path, error) from error
    finally:
        if beside.exists():
            beside.unlink()


def refused(path: Path, error: OSError) -> CannotWrite:
    """The problem behind an operating system's error."""
    full = " The disk is full." if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return CannotWrite(f"{path} cannot be written: {error.strerror}.{full}", path=str(path))
