"""`trl-preference`: prompt, chosen, rejected, as TRL's preference type.

Checked against TRL 1.16 (`trl.data_utils`): DPOTrainer (whose `loss_type` also gives IPO, robust
and conservative DPO), RewardTrainer, and the experimental ORPO and CPO (SimPO) trainers take it
standard or conversational. RewardTrainer reads a column `margin` by itself: its loss becomes
-log sigma(r_chosen - r_rejected - margin) (Llama 2, section 3.2.2); remove the column to train without.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import Columns
from exports.formats.texts import PROVENANCE, pair_columns, pair_texts, provenance
from exports.records import Pair, Shape


def columns(shape: Shape) -> Columns:
    return {**pair_columns(shape), **PROVENANCE}


def rows(pair: Pair, shape: Shape) -> Iterable[Row]:
    """One row: {"prompt", "chosen", "rejected", …provenance}."""
    return ({**pair_texts(pair, shape), **provenance(pair)},)


FORMAT = Format(
    name="trl-preference",
    label="Pairs for DPO, IPO, cDPO, ORPO, CPO, SimPO and reward trainers",
    trainers=("DPOTrainer", "RewardTrainer", "ORPOTrainer", "CPOTrainer"),
    reads=Reads.PAIRS,
    columns=columns,
    rows=rows,
    check="preference",
    note="RewardTrainer uses the column margin by itself; remove it to train without margins.",
)
