"""A route reads the judges' probabilities as people's labels repair them, not as the judges say them.

A replay does not: it hides labels from the policy, which the repair would have read.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations

import numpy as np

from judges.calibrating import Repaired, every_repair
from routing.loading import Loaded
from routing.table import Floats, Table


def with_repaired(loaded: Loaded) -> Loaded:
    """The same pairs with every judge's probability cross-fitted to people's verdicts (`judges.calibrating`).

    A judge that gives none, or with too few labels of people beside it, keeps what it said. Verdicts stay.
    """
    table = loaded.table
    if np.isnan(table.probability).all():
        return loaded
    repairs, places = every_repair(loaded.aspect), places_of(table)
    rows = [
        repaired_row(row, repairs[name], places) if name in repairs and repairs[name].calibrator else row
        for name, row in zip(table.judges, table.probability, strict=True)
    ]
    return replace(loaded, table=replace(table, probability=np.vstack(rows)))


def places_of(table: Table) -> dict[tuple[int, int, int], int]:
    """The place in the table of each (instance, i, j): an instance's pairs stand in their order, i < j."""
    pairs_of = Counter(table.owner.tolist())
    waiting = {
        owner: combinations(range(int((1 + (1 + 8 * pairs) ** 0.5) / 2)), 2)
        for owner, pairs in pairs_of.items()
    }
    return {
        (table.instances[owner], *next(waiting[owner])): place
        for place, owner in enumerate(table.owner.tolist())
    }


def repaired_row(row: Floats, repair: Repaired, places: dict[tuple[int, int, int], int]) -> Floats:
    """A judge's probabilities (n,) with the repaired ones where it gave any."""
    made = row.copy()
    keys = zip(repair.instance.tolist(), repair.pair.tolist(), repair.probability.tolist(), strict=True)
    for instance, (i, j), probability in keys:
        place = places.get((instance, i, j))
        if place is not None and not np.isnan(probability) and not np.isnan(made[place]):
            made[place] = probability
    return made
