"""From records to bytes: a format's rows as canonical JSON lines, hashed on the way, in batches.

A row's canonical bytes are `orjson.dumps(row)`: UTF-8, no spaces, the columns in the format's
order. They are the lines of the `jsonl` container and the leaves of the hash, so that the hash of
an export can be computed again from any of its files.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import orjson

from exports.containers.base import Batch
from exports.formats.base import Format, Row
from exports.merkle import Merkle
from exports.records import Shape

BATCH_BYTES = 128 * 1024
Splitter = Callable[[Any], str]


def rows_of(records: Iterable[Any], entry: Format, shape: Shape, split: Splitter | None) -> Iterator[Row]:
    """The rows of every record; `split` is a last column where there are splits."""
    rows = entry.start(shape)
    for record in records:
        if split is None:
            yield from rows(record)
        else:
            for row in rows(record):
                row["split"] = split(record)
                yield row


def batches(rows: Iterable[Row], tree: Merkle) -> Iterator[Batch]:
    """The rows with their lines, in batches of some BATCH_BYTES, each line hashed into `tree`."""
    dumps = orjson.dumps
    batch = Batch([], [])
    for row in rows:
        line = dumps(row)
        batch.rows.append(row)
        batch.lines.append(line)
        batch.size += len(line)
        if batch.size >= BATCH_BYTES:
            tree.extend(batch.lines)
            yield batch
            batch = Batch([], [])
    if batch.lines:
        tree.extend(batch.lines)
        yield batch


def by_margin(rows: Iterable[Row], *, hardest_first: bool) -> Iterator[Row]:
    """The rows by their margin, equal ones as they came; spooled to a file, 16 bytes of memory a row."""
    keys, ends = array("d"), array("q", [0])
    with TemporaryFile() as spool:
        for row in rows:
            spool.write(orjson.dumps(row))
            margin = row.get("margin") or 0.0
            keys.append(margin if hardest_first else -margin)
            ends.append(spool.tell())
        for at in np.argsort(np.frombuffer(keys), kind="stable") if keys else ():
            spool.seek(ends[at])
            yield orjson.loads(spool.read(ends[at + 1] - ends[at]))
