"""What a feature entry returns, and how blocks become one matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from routing.features import FEATURES
from routing.table import Floats, Table


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Named columns over the n pairs of a table, each (n,): `odd` flip with the responses, `even` do not."""

    odd: dict[str, Floats] = field(default_factory=dict)
    even: dict[str, Floats] = field(default_factory=dict)


def block(table: Table, name: str) -> Block:
    """The entry's block for this table, computed once."""
    key = f"feature:{name}"
    if key not in table.cache:
        table.cache[key] = FEATURES.load(name)(table)
    found = table.cache[key]
    assert isinstance(found, Block)
    return found


def gather(table: Table, names: Sequence[str] | None = None) -> Block:
    """All columns of the named entries (default: every entry), prefixed with the entry's name."""
    odd: dict[str, Floats] = {}
    even: dict[str, Floats] = {}
    for name in FEATURES.names() if names is None else names:
        found = block(table, name)
        odd |= {f"{name}.{column}": values for column, values in found.odd.items()}
        even |= {f"{name}.{column}": values for column, values in found.even.items()}
    return Block(odd=odd, even=even)


def share_below(values: Floats) -> Floats:
    """The rank of each value over the whole dataset, in 0…1 with ties in the middle (n,)."""
    if len(values) == 0:
        return values.astype(float)
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(count) - (count - 1) / 2  # equal values share the mean of their ranks
    return (ranks[place] - 0.5) / len(values)


def standard(values: Floats) -> Floats:
    """Mean 0 and deviation 1 over the dataset; zeros where the column is constant."""
    deviation = values.std() if len(values) else 0.0
    if deviation < 1e-12:
        return np.zeros(len(values))
    return np.clip((values - values.mean()) / deviation, -4.0, 4.0)


def unit_scale(values: Floats) -> Floats:
    """An odd column over its root mean square, so that swapping responses still only flips the sign."""
    size = float(np.sqrt(np.mean(values**2))) if len(values) else 0.0
    return np.zeros(len(values)) if size < 1e-12 else np.clip(values / size, -4.0, 4.0)


def per_text(table: Table, key: str, measure: Callable[[str], float]) -> Floats:
    """`measure` of every distinct response text (R,), computed once for a table."""
    name = f"text:{key}"
    if name not in table.cache:
        table.cache[name] = np.array([measure(text) for text in table.responses], dtype=float)
    found = table.cache[name]
    assert isinstance(found, np.ndarray)
    return found


def gap(table: Table, values: Floats) -> Floats:
    """Second minus first response of a per-response value: (R,) to (n,)."""
    return values[table.pair[:, 1]] - values[table.pair[:, 0]]
