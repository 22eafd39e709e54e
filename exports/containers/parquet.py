"""Parquet with typed, nested columns; row groups of bounded size.

Packed by Snappy: zstd would halve the file, but takes half as long again.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from exports.containers.arrow import arrow_schema, table
from exports.containers.base import Batch, Container
from exports.formats.base import Row
from exports.formats.columns import Columns

PAGE_BYTES = 64 * 1024  # of a column: a page waits in memory until it is full
BUFFER_BYTES = 64 * 1024  # between calls from the packer into Python
TABLE_BYTES = 256 * 1024  # of JSON Lines laid out at once: less costs time, more costs memory
ROW_GROUP_BYTES = 3 * 1024 * 1024  # of JSON Lines: the fewer, the longer the list of groups at the end


class Drain:
    """A file that is only written, and emptied as it fills."""

    closed = False

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here: what is written lies in `parts`."""

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def take(self) -> list[bytes]:
        """What was written since the last time."""
        taken, self.parts = self.parts, []
        return taken


def parquet(batches: Iterable[Batch], columns: Columns) -> Iterator[bytes]:
    """The file's bytes. A row group is packed by a thread of its own, without Python's lock, while the next is read."""
    schema, drain = arrow_schema(columns), Drain()
    sink = pa.BufferedOutputStream(pa.PythonFile(drain, mode="w"), BUFFER_BYTES)  # few calls into Python
    with sink, ThreadPoolExecutor(1) as packer, opened(sink, schema) as writer:
        packing = None
        for group in row_groups(batches, schema, columns):
            if packing is not None:
                packing.result()
                yield from drain.take()
            packing = packer.submit(writer.write_table, group)
        if packing is not None:
            packing.result()
    yield from drain.take()


def opened(sink: Any, schema: pa.Schema) -> pyarrow.parquet.ParquetWriter:
    """A writer that keeps no statistics: those of every row group would stay in memory until the end."""
    return pyarrow.parquet.ParquetWriter(
        sink,
        schema,
        compression="snappy",
        use_dictionary=False,
        write_statistics=False,
        data_page_size=PAGE_BYTES,
    )


def row_groups(batches: Iterable[Batch], schema: pa.Schema, columns: Columns) -> Iterator[pa.Table]:
    """The batches as tables of TABLE_BYTES, joined until they fill a row group."""
    held: list[pa.Table] = []
    rows: list[Row] = []
    waiting = size = 0
    for batch in batches:
        rows += batch.rows
        waiting += batch.size
        if waiting < TABLE_BYTES:
            continue
        held.append(table(rows, schema, columns))
        size, rows, waiting = size + waiting, [], 0
        if size >= ROW_GROUP_BYTES:
            yield pa.concat_tables(held)
            held, size = [], 0
    if rows:
        held.append(table(rows, schema, columns))
    if held:
        yield pa.concat_tables(held)


PARQUET = Container(
    "parquet", "Parquet, typed and nested", ".parquet", "application/vnd.apache.parquet", parquet
)


def read_rows(path: Path) -> Iterator[Row]:
    """The file's rows, a row group at a time."""
    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()
