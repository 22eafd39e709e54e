"""`multi-aspect`: a pair per aspect, for MODPO and other multi-objective trainers.

MODPO (Zhou et al. 2023, eq. 9) trains on one aspect's pairs with the other aspects' reward differences as
margins: `margin_<aspect>` is that aspect's margin between this row's chosen and rejected, negative where it
prefers the other way, null where it was not asked.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import NUMBER, TEXT, Columns, Maybe
from exports.formats.texts import PROVENANCE, pair_columns, pair_texts, provenance
from exports.records import Case, Consensus, Pair, Shape


def columns(shape: Shape) -> Columns:
    margins = dict.fromkeys((f"margin_{aspect}" for aspect in shape.aspects), Maybe(NUMBER))
    return {**pair_columns(shape), "aspect": TEXT, **margins, **PROVENANCE}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a pair and aspect."""
    for pair in case.pairs:
        margins = {f"margin_{aspect}": towards(pair, case.consensus.get(aspect)) for aspect in shape.aspects}
        yield {**pair_texts(pair, shape), "aspect": pair.aspect, **margins, **provenance(pair)}


def towards(pair: Pair, held: Consensus | None) -> float | None:
    """An aspect's margin in the direction of the pair."""
    if held is None:
        return None
    if held.scores:
        sides = held.scores.get(pair.chosen_index), held.scores.get(pair.rejected_index)
        return None if sides[0] is None or sides[1] is None else sides[0] - sides[1]
    margin = held.margin or 0.0
    return -margin if held.chosen == pair.rejected_index else margin


FORMAT = Format(
    name="multi-aspect",
    label="A pair per aspect, with the other aspects' margins: MODPO and other multi-objective trainers",
    trainers=("MODPO", "DPOTrainer", "RewardTrainer"),
    reads=Reads.CASES,
    of_pairs=True,
    columns=columns,
    rows=rows,
    all_aspects=True,
    check="pairs",
    note="Filter on the column aspect to train one objective; margin is its own, margin_<aspect> the others'.",
)
