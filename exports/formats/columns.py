"""The types that exported columns can have, and their JSON Schema: the one description of a format's rows.

A format declares `{"prompt": TEXT, "margin": NUMBER, …}`; the JSON Schema below, the Arrow schema
(`exports.containers.arrow`) and the dataset card are all derived from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Scalar:
    """One value: `kind` is the JSON Schema name of its type."""

    kind: str


@dataclass(frozen=True)
class Maybe:
    """A value that may be null."""

    of: "Type"


@dataclass(frozen=True)
class Many:
    """A list."""

    of: "Type"


@dataclass(frozen=True)
class Record:
    """An object with these fields, all of them present."""

    fields: tuple[tuple[str, "Type"], ...]


Type = Scalar | Maybe | Many | Record
Columns = Mapping[str, Type]

TEXT, NUMBER, INTEGER, FLAG = Scalar("string"), Scalar("number"), Scalar("integer"), Scalar("boolean")
JSON = Scalar("json")  # any JSON, for archives: itself in JSON Lines, its text in Parquet and CSV


def record(**fields: Type) -> Record:
    return Record(tuple(fields.items()))


MESSAGES = Many(record(role=TEXT, content=TEXT))


def json_schema(columns: Columns, *, title: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of one row."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **_schema(record(**columns)),
    }


def _schema(kind: Type) -> dict[str, Any]:
    match kind:
        case Scalar("json"):
            return {}
        case Scalar(name):
            return {"type": name}
        case Maybe(of):
            inner = _schema(of)
            return {**inner, "type": [inner["type"], "null"]}
        case Many(of):
            return {"type": "array", "items": _schema(of)}
        case Record(fields):
            properties = {name: _schema(of) for name, of in fields}
            return {
                "type": "object",
                "properties": properties,
                "required": list(properties),
                "additionalProperties": False,
            }


def is_flat(columns: Columns) -> bool:
    """Whether CSV can carry the columns: scalars, and lists of scalars as JSON in a cell."""
    return not any(_nested(kind) for kind in columns.values())


def _nested(kind: Type) -> bool:
    match kind:
        case Maybe(of) | Many(of):
            return _nested(of)
        case _:
            return isinstance(kind, Record)


def words(kind: Type) -> str:
    """The type as a person reads it in the dataset card."""
    match kind:
        case Scalar(name):
            return name
        case Maybe(of):
            return f"{words(of)} or null"
        case Many(of):
            return f"list of {words(of)}"
        case Record(fields):
            return "{" + ", ".join(f"{name}: {words(of)}" for name, of in fields) + "}"
