"""`soft`: pairs with the probability that chosen is better, for losses that know labels can be wrong.

`probability` is p = P(chosen better) of the consensus; `flip` = 1 - p is this pair's chance of being
the wrong way round; `weight` = 2p - 1 is its information; `log_odds` = log p/(1-p), with p kept
within 1e-6 of the ends, is the margin on the Bradley-Terry scale. They serve
conservative DPO (Mitchell 2023: -p log sigma(h) - (1-p) log sigma(-h)), robust DPO (Chowdhury et al. 2024,
eq. 12, `label_smoothing` = the set's flip rate), soft-label and margin losses.
"""

from collections.abc import Iterable
from math import log

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import NUMBER, Columns
from exports.formats.texts import PROVENANCE, pair_columns, pair_texts, provenance
from exports.records import Pair, Shape

EDGE = 1e-6


def columns(shape: Shape) -> Columns:
    figures = dict.fromkeys(("probability", "flip", "weight", "log_odds"), NUMBER)
    return {**pair_columns(shape), **figures, **PROVENANCE}


def figures(probability: float) -> Row:
    """{"probability", "flip", "weight", "log_odds"} of P(chosen better).

    >>> figures(0.75)["weight"]
    0.5
    """
    held = min(max(probability, EDGE), 1 - EDGE)
    return {
        "probability": probability,
        "flip": 1 - probability,
        "weight": abs(2 * probability - 1),
        "log_odds": log(held / (1 - held)),
    }


def rows(pair: Pair, shape: Shape) -> Iterable[Row]:
    """One row: the preference row and its soft figures."""
    return ({**pair_texts(pair, shape), **figures(pair.probability), **provenance(pair)},)


FORMAT = Format(
    name="soft",
    label="Pairs with probability, margin and weight, for robust, conservative and soft-label losses",
    trainers=("DPOTrainer", "RewardTrainer"),
    reads=Reads.PAIRS,
    columns=columns,
    rows=rows,
    check="soft",
    note="The card names the set's estimated flip rate: DPOConfig(loss_type='robust', label_smoothing=rate).",
)
