"""The row ids of Switchyard's exports, `project/aspect/which/instance`: whence an imported row came.

Of a pair `which` is `1-0`, the chosen response's index and the rejected one's, or `0=1` where nobody won.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

ROW = re.compile(r"[^/]+/(?P<aspect>[^/]+)/(?P<which>[^/]+)/(?P<instance>.+)", re.DOTALL)
PAIR = re.compile(r"(\d{1,3})([-=])(\d{1,3})")
INDEX = re.compile(r"\d{1,3}")
MAIN = "overall"


class Place(NamedTuple):
    """What a row id names: a `pair` (chosen, rejected) by index, or a `tie` of the two, or a `response`."""

    aspect: str
    instance: str
    pair: tuple[int, int] | None = None
    tie: bool = False
    response: int | None = None

    @property
    def ref(self) -> str:
        """The instance's id; of a pair out of several responses it names the two."""
        if self.pair is None or set(self.pair) == {0, 1}:
            return self.instance
        return f"{self.instance}#{min(self.pair)}-{max(self.pair)}"


def place_of(row: dict[str, Any]) -> Place | None:
    """The place that a row's column `row` names; None where it is no such id."""
    found = ROW.fullmatch(row["row"]) if isinstance(row.get("row"), str) else None
    if found is None or row.get("instance") != found["instance"]:
        return None
    aspect, which = unquote(found["aspect"]), found["which"]
    if pair := PAIR.fullmatch(which):
        return Place(aspect, found["instance"], (int(pair[1]), int(pair[3])), pair[2] == "=")
    return Place(aspect, found["instance"], response=int(which) if INDEX.fullmatch(which) else None)


def ref_of(row: dict[str, Any]) -> Any:
    """The id of the row's instance: what its row id names, else its column `id` or `instance`, unchecked."""
    if place := place_of(row):
        return place.ref
    return row.get("id") if row.get("id") is not None else row.get("instance")
