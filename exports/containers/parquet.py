"""Parquet with typed, nested columns; row groups of bounded size, zstd inside."""

from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet

from exports.containers.arrow import arrow_schema, table
from exports.containers.base import Batch, Container
from exports.formats.columns import Columns

ROW_GROUP = 16 * 1024  # rows, or fewer where they are large: small enough for constant memory
ROW_GROUP_BYTES = 12 * 1024 * 1024  # of JSON


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
    with pyarrow.parquet.ParquetWriter(sink, schema, compression="zstd", use_dictionary=False) as writer:
        for group in grouped(batches):
            writer.write_table(pa.concat_tables([table(batch.rows, schema, columns) for batch in group]))
            yield drain.take()
    yield drain.take()


def grouped(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Batches gathered until they fill a row group."""
    held: list[Batch] = []
    rows = size = 0
    for batch in batches:
        held.append(batch)
        rows += len(batch.lines)
        size += sum(map(len, batch.lines))
        if rows >= ROW_GROUP or size >= ROW_GROUP_BYTES:
            yield held
            held, rows, size = [], 0, 0
    if held:
        yield held


PARQUET = Container(
    "parquet", "Parquet, typed and nested", ".parquet", "application/vnd.apache.parquet", parquet
)
