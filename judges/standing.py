"""How a judge stands beside "the longer wins": what is said of it before its labels stand anywhere."""

from __future__ import annotations

from ledger.models import Aspect
from quality.lengths import item_lengths, longer_wins, response_lengths
from quality.panels import Standing, gap_to_baseline, standing_of
from quality.readings import read_aspect


def standing(aspect: Aspect, judge: str) -> Standing:
    """The named judge's standing on the aspect; FEW where too few instances have people's labels and its own."""
    reading = read_aspect(aspect)
    mine = next((one for one in reading.judges if one.name == judge), None)
    if mine is None or not len(reading.verdicts):
        return Standing.FEW
    longer = longer_wins(item_lengths(reading, response_lengths(aspect.project)))
    return standing_of(gap_to_baseline(reading, mine, longer))
