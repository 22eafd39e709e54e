"""Reading an exported file again, row by row: JSON Lines plain or packed, Parquet, or a dataset folder."""

import gzip
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import orjson
import zstandard

from exports.containers import container_for
from web.problems import Invalid, NotFound
from web.registry import Registry

READERS = Registry("reader of exports", {"parquet": "exports.containers.parquet:read_rows"})
Row = dict[str, Any]


def read_export(path: Path) -> Iterator[Row]:
    """The rows of an export in their order. Raises `NotFound`, `Invalid`."""
    if not path.exists():
        raise NotFound(f"There is no file {str(path)!r}.", path=str(path))
    if path.is_dir():
        for part in sorted((path / "data").glob("*.parquet")):
            yield from READERS.load("parquet")(part)
        return
    container = container_for(str(path))
    if container == "parquet":
        yield from READERS.load("parquet")(path)
    elif container == "csv":
        raise Invalid("A check reads JSON Lines, Parquet or a folder, not CSV.", path=str(path))
    else:
        with opened(path, container) as lines:
            yield from parsed(lines, path)


def opened(path: Path, container: str) -> IO[bytes]:
    if container == "jsonl.gz":
        return io.BufferedReader(gzip.open(path))
    if container == "jsonl.zst":
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(path.open("rb"), closefd=True))
    return path.open("rb")


def parsed(lines: Iterable[bytes], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise Invalid(
                f"Line {number} of {path} is not JSON: {error}.", path=str(path), line=number
            ) from error
        if not isinstance(row, dict):
            raise Invalid(f"Line {number} of {path} is not an object.", path=str(path), line=number)
        yield row
