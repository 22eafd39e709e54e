"""A Hugging Face dataset folder: Parquet shards by split, with a card and a manifest beside them."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa

from exports.containers.arrow import arrow_schema, table
from exports.containers.base import Batch
from exports.containers.parquet import ROW_GROUP_BYTES, opened
from exports.formats.base import Row
from exports.formats.columns import Columns

SHARD_BYTES = 400 * 1024 * 1024
TRAIN = "train"  # the only split where none were chosen


class Shards:
    """One split's files: `data/train-00000.parquet` and on."""

    def __init__(self, folder: Path, split: str, columns: Columns) -> None:
        self.folder, self.split, self.columns = folder, split, columns
        self.schema = arrow_schema(columns)
        self.rows = self.number = 0
        self.held: list[pa.Table] = []
        self.open()

    def open(self) -> None:
        self.path = self.folder / f"{self.split}-{self.number:05}.parquet"
        self.writer = opened(self.path, self.schema)

    def add(self, rows: list[Row]) -> None:
        self.rows += len(rows)
        self.held.append(table(rows, self.schema, self.columns))
        if sum(part.nbytes for part in self.held) >= ROW_GROUP_BYTES:
            self.flush()
            if self.path.stat().st_size >= SHARD_BYTES:
                self.writer.close()
                self.number += 1
                self.open()

    def flush(self) -> None:
        if self.held:
            self.writer.write_table(pa.concat_tables(self.held))
            self.held = []

    def close(self) -> None:
        self.flush()
        self.writer.close()


def write_shards(folder: Path, batches: Iterable[Batch], columns: Columns) -> dict[str, int]:
    """Writes the rows into `folder`/data, by their column `split` where they have one; {split: rows}."""
    place = folder / "data"
    place.mkdir()
    shards: dict[str, Shards] = {}
    for batch in batches:
        for split, rows in by_split(batch.rows).items():
            if split not in shards:
                shards[split] = Shards(place, split, columns)
            shards[split].add(rows)
    for each in shards.values():
        each.close()
    return {split: each.rows for split, each in shards.items()}


def by_split(rows: list[Row]) -> dict[str, list[Row]]:
    if not rows or "split" not in rows[0]:
        return {TRAIN: rows}
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row["split"]].append(row)
    return parts
