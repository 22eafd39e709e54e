"""Parquet with typed, nested columns; row groups of bounded size, zstd inside."""

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
ROW_GROUP_BYTES = 2 * 1024 * 1024  # of JSON Lines: what keeps an export of any size under 200 MB


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
    sink = pa.BufferedOutputStream(pa.PythonFile(drain, mode="w"), ROW_GROUP_BYTES)  # few calls into Python
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
    """A writer that keeps statistics of figures alone: the least and greatest text of every row group would
    stay in memory until the end."""
    figures = [
        field.name for field in schema if pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
    ]
    return pyarrow.parquet.ParquetWriter(
        sink,
        schema,
        compression="zstd",
        use_dictionary=False,
        write_statistics=figures,
        data_page_size=PAGE_BYTES,
    )


def row_groups(batches: Iterable[Batch], schema: pa.Schema, columns: Columns) -> Iterator[pa.Table]:
    """The batches as tables of a row group each."""
    held: list[Row] = []
    size = 0
    for batch in batches:
        held += batch.rows
        size += batch.size
        if size >= ROW_GROUP_BYTES:
            yield table(held, schema, columns)
            held, size = [], 0
    if held:
        yield table(held, schema, columns)


PARQUET = Container(
    "parquet", "Parquet, typed and nested", ".parquet", "application/vnd.apache.parquet", parquet
)


def read_rows(path: Path) -> Iterator[Row]:
    """The file's rows, a row group at a time."""
    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()
