"""What a format is: a name, a sentence, what it reads, the columns it writes and the rows themselves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from exports.formats.columns import Columns
from exports.records import Shape

Row = dict[str, Any]


class Reads(Enum):
    """What a format is made of."""

    PAIRS = "settled pairs"
    CASES = "instances with their settled pairs and labels"


@dataclass(frozen=True)
class Format:
    """A registry entry. `rows` gives the rows of one record (a `Pair` or a `Case`, as `reads` says)."""

    name: str
    label: str
    trainers: tuple[str, ...]
    reads: Reads
    columns: Callable[[Shape], Columns]
    rows: Callable[[Any, Shape], Iterable[Row]]
    needs: str = "a settled preference"
    task_types: tuple[str, ...] = ()
    all_aspects: bool = False
    check: str = ""
    note: str = ""
