"""A format's columns as an Arrow schema, and rows as Arrow tables of it."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from numpy.typing import NDArray

from exports.formats.base import Row
from exports.formats.columns import Columns, Many, Maybe, Record, Scalar, Type

pa.set_memory_pool(pa.system_memory_pool())  # the default pool keeps 30 MB more of what it was given

Mask = NDArray[np.bool_]
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
    arrays = [array(kind, [row[name] for row in rows]) for name, kind in columns.items()]
    return pa.Table.from_arrays(arrays, schema=schema)


def array(kind: Type, values: Sequence[Any], present: Mask | None = None) -> pa.Array:
    """The values as an Arrow array, laid out here in Arrow's columnar format.

    `pa.array` would do the same, but it imports pandas wherever that is installed: 40 MB that an export
    in constant memory cannot spare. `present` (n,) is false where a value is null.
    """
    match kind:
        case Maybe(of):
            known = np.fromiter((value is not None for value in values), bool, len(values))
            blank = empty(of)
            return array(of, [blank if value is None else value for value in values], known)
        case Many(of):
            flat = list(chain.from_iterable(values))
            return laid(kind, len(values), [bits(present), offsets(values)], [array(of, flat)])
        case Record(fields):
            parts = [array(of, [value[name] for value in values]) for name, of in fields]
            return laid(kind, len(values), [bits(present)], parts)
        case Scalar(name):
            return scalars(name, values, present)


def scalars(name: str, values: Sequence[Any], present: Mask | None) -> pa.Array:
    if name == "string":
        return texts(values, present)
    if name == "json":
        packed = [orjson.dumps(value) for value in values]
        return laid(
            Scalar(name), len(values), [bits(present), offsets(packed), pa.py_buffer(b"".join(packed))]
        )
    if name == "boolean":
        return laid(Scalar(name), len(values), [bits(present), bits(np.array(values, dtype=bool))])
    numbers = np.array(values, dtype=np.float64 if name == "number" else np.int64)
    return laid(Scalar(name), len(values), [bits(present), pa.py_buffer(numbers)])


def texts(values: Sequence[str], present: Mask | None) -> pa.Array:
    """Texts as one buffer of UTF-8; where they are ASCII throughout, their lengths in bytes need no second look."""
    joined = "".join(values)
    ends = offsets(values if joined.isascii() else [value.encode() for value in values])
    return laid(Scalar("string"), len(values), [bits(present), ends, pa.py_buffer(joined.encode())])


def laid(kind: Type, size: int, buffers: list[Any], children: list[pa.Array] | None = None) -> pa.Array:
    return pa.Array.from_buffers(arrow_type(kind), size, buffers, children=children)


def offsets(values: Sequence[Any]) -> pa.Buffer:
    """Where each value begins, and where the last one ends: (n + 1,) of int32."""
    ends = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, values), np.int32, len(values)), out=ends[1:])
    return pa.py_buffer(ends)


def bits(mask: Mask | None) -> pa.Buffer | None:
    return None if mask is None else pa.py_buffer(np.packbits(mask, bitorder="little"))


def empty(kind: Type) -> Any:
    """A value of the type that stands where there is none."""
    match kind:
        case Scalar(name):
            return {"string": "", "number": 0.0, "integer": 0, "boolean": False, "json": None}[name]
        case Maybe(_):
            return None
        case Many(_):
            return []
        case Record(fields):
            return {name: empty(of) for name, of in fields}
