"""CSV for flat formats, safe to open in a spreadsheet.

A cell that a spreadsheet would run as a formula (OWASP, "CSV Injection": it begins with =, +, -, @,
tab or carriage return) gets an apostrophe in front. A text that begins with apostrophes and then such
a character gets one more, so that `restore` gives every cell back exactly. A list is a cell of JSON.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any

import orjson

from exports.containers.base import Batch, Container
from exports.formats.columns import JSON, Columns, Type

RISKY = re.compile(r"'*[=+\-@\t\r]")


def defuse(cell: str) -> str:
    """The cell as text that no spreadsheet runs.

    >>> defuse("=1+1"), defuse("plain"), defuse("'=1")
    ("'=1+1", 'plain', "''=1")
    """
    return "'" + cell if RISKY.match(cell) else cell


def restore(cell: str) -> str:
    """The text that `defuse` was given."""
    return cell[1:] if cell.startswith("'") and RISKY.match(cell) else cell


def flat_csv(batches: Iterable[Batch], columns: Columns) -> Iterator[bytes]:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    for batch in batches:
        writer.writerows([_cell(row[name], kind) for name, kind in columns.items()] for row in batch.rows)
        yield out.getvalue().encode()
        out.seek(0)
        out.truncate()
    yield out.getvalue().encode()


def _cell(value: Any, kind: Type) -> str:
    if value is None:
        return ""
    if isinstance(value, str) and kind != JSON:
        return defuse(value)
    return orjson.dumps(value).decode()


CSV = Container("csv", "CSV, flat formats only", ".csv", "text/csv; charset=utf-8", flat_csv, flat_only=True)
