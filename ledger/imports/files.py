"""Rows from files and streams: JSON Lines, CSV and Parquet, plain or gzip, read in constant memory.

A row that cannot be read is yielded as a `BadRow` beside its line number, so that the rest still comes.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO

import orjson

from ledger.imports.drafts import BadRow
from web.problems import Invalid, NotFound
from web.registry import Registry

MAX_LINE = 64 * 1024 * 1024
GZIP, PARQUET = b"\x1f\x8b", b"PAR1"

# What reads packed files, loaded when one comes: pyarrow takes 24 MB of every process that imports it.
PACKED = Registry("packed file", {"parquet": "ledger.imports.parquet:read_parquet"})

Row = tuple[int, dict[str, Any] | BadRow]


@contextmanager
def opened(path: str | Path) -> Iterator[BinaryIO]:
    """The file for reading bytes. Raises `NotFound` and `Invalid` with the path."""
    try:
        with open(path, "rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", path=str(path)) from error
    except (IsADirectoryError, PermissionError) as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.", path=str(path)) from error


def read_rows(stream: BinaryIO, *, name: str = "") -> Iterator[Row]:
    """`(line, row)` for each row; `name` (a file's name or a format) tells CSV from JSON Lines.

    Lines count from 1 and include a CSV's header; a Parquet file's rows count from 1.
    """
    try:
        yield from read_any(stream, name)
    except (gzip.BadGzipFile, zlib.error, EOFError, OSError) as error:
        raise Invalid(f"{name or 'The body'} is damaged: {error}.", file=name) from error


def read_any(stream: BinaryIO, name: str) -> Iterator[Row]:
    """The rows, by what the first bytes say the stream is. Raises `Invalid` for what is no text."""
    head = peek(stream)
    if head.startswith(PARQUET):
        yield from PACKED.load("parquet")(stream)
        return
    source: IO[bytes] = stream
    if head.startswith(GZIP):
        source = io.BufferedReader(gzip.GzipFile(fileobj=stream))
        head = peek(source)
    if b"\x00" in head:
        raise Invalid(
            f"{name or 'The body'} is not a text file: JSON Lines, CSV or Parquet are read.", file=name
        )
    yield from (read_csv if is_csv(name) else read_json_lines)(source)


def peek(stream: Any) -> bytes:
    """The first bytes, left unread."""
    if hasattr(stream, "peek"):
        return stream.peek(4096)[:4096]
    head = stream.read(4096)
    stream.seek(0)
    return head


def is_csv(name: str) -> bool:
    return name.lower().removesuffix(".gz").endswith(".csv")


def read_json_lines(stream: IO[bytes]) -> Iterator[Row]:
    for number, line in lines(stream):
        if isinstance(line, BadRow):
            yield number, line
        elif line.strip():
            yield number, parse_json(line)


def lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes | BadRow]]:
    """Numbered lines; one that is too long is skipped to its end and reported."""
    number = 0
    while line := stream.readline(MAX_LINE):
        number += 1
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) < MAX_LINE or line.endswith(b"\n"):
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE)
        yield number, BadRow(f"The line is longer than {MAX_LINE // 1024**2} MiB.")


def parse_json(line: bytes) -> dict[str, Any] | BadRow:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return BadRow(f"Not UTF-8: {error}." if not is_utf8(line) else f"Not JSON: {error}.")
    if not isinstance(row, dict):
        return BadRow(f"A line must be a JSON object, not {type(row).__name__}.")
    return row


def is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def read_csv(stream: IO[bytes]) -> Iterator[Row]:
    """A row a record; cells that hold a JSON object or list are read as such."""
    csv.field_size_limit(MAX_LINE)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="", errors="surrogateescape")
    reader = csv.DictReader(text, strict=True)
    while True:
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, BadRow(f"Not CSV: {error}.")
            continue
        yield reader.line_num, parse_record(record)


def parse_record(record: dict[str | None, Any]) -> dict[str, Any] | BadRow:
    if None in record:
        return BadRow(f"The row has {len(record[None])} cells more than the header.")
    row = {column: parse_cell(cell) for column, cell in record.items() if cell not in (None, "")}
    if any(isinstance(cell, str) and not cell.isascii() and has_surrogates(cell) for cell in row.values()):
        return BadRow("Not UTF-8.")
    return row  # type: ignore[return-value]


def has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def parse_cell(cell: str) -> Any:
    """The cell's text; an object or list where it is one as JSON."""
    if cell[:1] + cell[-1:] not in ("{}", "[]"):
        return cell
    try:
        return orjson.loads(cell)
    except orjson.JSONDecodeError:
        return cell
