"""Rows from Parquet files."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from web.problems import Invalid

BATCH_ROWS = 500


def read_parquet(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """`(number, row)` for each row, counted from 1; empty cells left out. Raises `Invalid`."""
    try:
        number = 0
        for batch in pq.ParquetFile(stream).iter_batches(batch_size=BATCH_ROWS):
            for row in batch.to_pylist():
                number += 1
                yield number, {column: cell for column, cell in row.items() if cell is not None}
    except pa.ArrowException as error:
        raise Invalid(f"The Parquet file is damaged: {error}.") from error
