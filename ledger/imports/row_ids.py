"""The row ids of Switchyard's exports, `project/aspect/which/instance`: whence an imported row came."""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

ROW = re.compile(r"[^/]+/(?P<aspect>[^/]+)/(?P<which>[^/]+)/(?P<instance>.+)", re.DOTALL)
PAIR = re.compile(r"(\d{1,3})-(\d{1,3})")


class Place(NamedTuple):
    """What a row id names; `pair` is (chosen, rejected) by index, where it names one."""

    aspect: str
    instance: str
    pair: tuple[int, int] | None


def place_of(row: dict[str, Any]) -> Place | None:
    """The place that a row's column `row` names; None where it is no such id."""
    found = ROW.fullmatch(row["row"]) if isinstance(row.get("row"), str) else None
    if found is None or row.get("instance") != found["instance"]:
        return None
    pair = PAIR.fullmatch(found["which"])
    ends = (int(pair[1]), int(pair[2])) if pair else None
    return Place(unquote(found["aspect"]), found["instance"], ends)
