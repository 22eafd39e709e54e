"""Registries: one visible table of names to lazily loaded objects."""

from collections.abc import Iterator
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from web.problems import UnknownName


def unknown(kind: str, name: str, known: list[str]) -> UnknownName:
    """The problem for a name that is not among `known`, with a did-you-mean."""
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = (
        f" Did you mean {' or '.join(map(repr, near))}?" if near else f" Known: {', '.join(known) or 'none'}."
    )
    return UnknownName(f"There is no {kind} named {name!r}.{hint}", name=name, suggestions=near)


class Registry:
    """A table from names to `"module:object"`, imported when an entry is first asked for."""

    def __init__(self, kind: str, table: dict[str, str]) -> None:
        self.kind = kind
        self.table = table

    def __iter__(self) -> Iterator[str]:
        return iter(self.table)

    def __contains__(self, name: object) -> bool:
        return name in self.table

    def names(self) -> list[str]:
        return list(self.table)

    def load(self, name: str) -> Any:
        """The object behind `name`; raises `UnknownName` with the nearest names."""
        if name not in self.table:
            raise unknown(self.kind, name, self.names())
        module, _, attribute = self.table[name].partition(":")
        return getattr(import_module(module), attribute)
