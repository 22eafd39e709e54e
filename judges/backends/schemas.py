"""JSON Schema, the part that describes tool calls and structured answers; any other keyword is refused, not
ignored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Value = Any  # JSON: where bytes arrive


class UnknownKeyword(Exception):
    """A schema uses a keyword that this checker does not know, so that it cannot say whether a value fits."""


def problems(value: Value, schema: Mapping[str, Any] | bool, path: str = "$") -> list[str]:
    """What is wrong with `value` under `schema`, one line each; empty where it fits. Raises
    `UnknownKeyword`.
    """
    if isinstance(schema, bool):
        return [] if schema else [f"{path}: nothing is allowed here"]
    found: list[str] = []
    for keyword, wanted in schema.items():
        if keyword in IGNORED:
            continue
        if keyword not in KEYWORDS:
            raise UnknownKeyword(keyword)
        found += KEYWORDS[keyword](value, wanted, schema, path)
    return found


def _type(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    kinds = wanted if isinstance(wanted, list) else [wanted]
    return [] if any(is_kind(value, kind) for kind in kinds) else [f"{path}: not {' or '.join(kinds)}"]


def is_kind(value: Value, kind: str) -> bool:
    """Whether the value is of the JSON type; 1.0 is an integer, true is no number."""
    if kind == "integer":
        return is_number(value) and float(value).is_integer()
    if kind == "number":
        return is_number(value)
    plain = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
    return isinstance(value, plain[kind])


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(a: Value, b: Value) -> bool:
    """JSON equality: 1 equals 1.0, but true does not equal 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)


def _properties(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [
        line
        for key, sub in wanted.items()
        if key in value
        for line in problems(value[key], sub, f"{path}.{key}")
    ]


def _additional(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    extra = set(value) - set(schema.get("properties", {}))
    return [line for key in sorted(extra) for line in problems(value[key], wanted, f"{path}.{key}")]


def _items(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    if not isinstance(value, list):
        return []
    return [line for at, one in enumerate(value) for line in problems(one, wanted, f"{path}[{at}]")]


def _required(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [f"{path}: {key} is missing" for key in wanted if key not in value]


def _unique(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    if not wanted or not isinstance(value, list):
        return []
    twice = any(same(a, b) for at, a in enumerate(value) for b in value[:at])
    return [f"{path}: items repeat"] if twice else []


def _one_of(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    fits = sum(not problems(value, sub, path) for sub in wanted)
    return [] if fits == 1 else [f"{path}: fits {fits} of the alternatives, not one"]


def _any_of(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    return [] if any(not problems(value, sub, path) for sub in wanted) else [f"{path}: fits no alternative"]


def _all_of(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
    return [line for sub in wanted for line in problems(value, sub, path)]


def _bounded(applies: Callable[[Value], bool], holds: Callable[[Value, Any], bool], said: str) -> Any:
    """A keyword that compares: where it applies it must hold."""

    def check(value: Value, wanted: Any, schema: Mapping[str, Any], path: str) -> list[str]:
        return [] if not applies(value) or holds(value, wanted) else [f"{path}: {said} {wanted}"]

    return check


def _is(kind: type) -> Callable[[Value], bool]:
    return lambda value: isinstance(value, kind)


def _always(value: Value) -> bool:
    return True


IGNORED = {"$schema", "$id", "title", "description", "default", "examples", "$comment", "format"}
KEYWORDS: dict[str, Callable[[Value, Any, Mapping[str, Any], str], list[str]]] = {
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "required": _required,
    "uniqueItems": _unique,
    "oneOf": _one_of,
    "anyOf": _any_of,
    "allOf": _all_of,
    "enum": _bounded(_always, lambda v, w: any(same(v, one) for one in w), "not one of"),
    "const": _bounded(_always, same, "not"),
    "minimum": _bounded(is_number, lambda v, w: v >= w, "below"),
    "maximum": _bounded(is_number, lambda v, w: v <= w, "above"),
    "exclusiveMinimum": _bounded(is_number, lambda v, w: v > w, "not above"),
    "exclusiveMaximum": _bounded(is_number, lambda v, w: v < w, "not below"),
    "minLength": _bounded(_is(str), lambda v, w: len(v) >= w, "shorter than"),
    "maxLength": _bounded(_is(str), lambda v, w: len(v) <= w, "longer than"),
    "pattern": _bounded(_is(str), lambda v, w: re.search(w, v) is not None, "does not match"),
    "minItems": _bounded(_is(list), lambda v, w: len(v) >= w, "fewer items than"),
    "maxItems": _bounded(_is(list), lambda v, w: len(v) <= w, "more items than"),
    "minProperties": _bounded(_is(dict), lambda v, w: len(v) >= w, "fewer keys than"),
    "maxProperties": _bounded(_is(dict), lambda v, w: len(v) <= w, "more keys than"),
}
