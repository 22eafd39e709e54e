"""What a format is: a name, a sentence, what it reads, the columns it writes and the rows themselves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from functools import partial
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
    """A registry entry.

    `rows(record, shape)` gives the rows of one record (a `Pair` or a `Case`, as `reads` says); where rows
    depend on those before, `begin(shape)` gives a function of the record alone instead. `check` names
    the training in `exports.training` that must take a step on it.
    """

    name: str
    label: str
    trainers: tuple[str, ...]
    reads: Reads
    columns: Callable[[Shape], Columns]
    rows: Callable[..., Iterable[Row]] | None = None
    begin: Callable[[Shape], Callable[[Any], Iterable[Row]]] | None = None
    needs: str = "a settled preference"
    all_aspects: bool = False
    all_labels: bool = False  # labels of every aspect, though pairs of one
    of_pairs: bool = False  # whether its cases give a row for each of their pairs
    marked: bool = False  # whether its rows carry offsets into texts
    whole: bool = False  # whether its rows carry all metadata
    metadata: bool = False
    check: str = ""
    note: str = ""

    def start(self, shape: Shape) -> Callable[[Any], Iterable[Row]]:
        """The function from a record to its rows."""
        if self.begin:
            return self.begin(shape)
        assert self.rows is not None
        return partial(self.rows, shape=shape)
