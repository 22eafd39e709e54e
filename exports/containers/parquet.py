"""Parquet with typed, nested columns; row groups of bounded size, zstd inside."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from exports.containers.arrow import arrow_schema, table
from exports.containers.base import Batch, Container
from exports.formats.base import Row
from exports.formats.columns import Columns

PAGE_BYTES = 64 * 1024  # of a column: a page waits in memory until it is full
ROW_GROUP_BYTES = 2 * 1024 * 1024  # in Arrow's memory: what keeps an export of any size under 200 MB


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

    def take(self) -> bytes:
        taken, self.parts = b"".join(self.parts), []
        return taken


def parquet(batches: Iterable[Batch], columns: Columns) -> Iterator[bytes]:
    schema, drain = arrow_schema(columns), Drain()
    sink = pa.PythonFile(drain, mode="w")
    with opened(sink, schema) as writer:
        for group in row_groups(batches, schema, columns):
            writer.write_table(group)
            yield drain.take()
    yield drain.take()


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
    """The batches as tables, joined until they fill a row group; Python's rows are let go at once."""
    held: list[pa.Table] = []
    size = 0
    for batch in batches:
        held.append(table(batch.rows, schema, columns))
        size += held[-1].nbytes
        if size >= ROW_GROUP_BYTES:
            yield pa.concat_tables(held)
            held, size = [], 0
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
