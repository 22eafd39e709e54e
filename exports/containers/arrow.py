"""A format's columns as an Arrow schema, and rows as Arrow tables of it."""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

from exports.formats.base import Row
from exports.formats.columns import JSON, Columns, Many, Maybe, Record, Scalar, Type

pa.set_memory_pool(pa.system_memory_pool())  # the default pool keeps 30 MB more of what it was given

SCALARS = {
    "string": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "boolean": pa.bool_(),
    "json": pa.string(),
}


def arrow_type(kind: Type) -> pa.DataType:
    match kind:
        case Scalar(name):
            return SCALARS[name]
        case Maybe(of):
            return arrow_type(of)
        case Many(of):
            return pa.list_(arrow_type(of))
        case Record(fields):
            return pa.struct([(name, arrow_type(of)) for name, of in fields])


def arrow_schema(columns: Columns) -> pa.Schema:
    return pa.schema([pa.field(name, arrow_type(kind)) for name, kind in columns.items()])


def table(rows: Sequence[Row], schema: pa.Schema, columns: Columns) -> pa.Table:
    """The rows with exactly `schema`, a column at a time."""
    return pa.table(
        [pa.array(_values(rows, name, columns[name]), schema.field(name).type) for name in columns],
        schema=schema,
    )


def _values(rows: Sequence[Row], name: str, kind: Type) -> list[Any]:
    if kind == JSON:
        return [orjson.dumps(row[name]).decode() for row in rows]
    return [row[name] for row in rows]
