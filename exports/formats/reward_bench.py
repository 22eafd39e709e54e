"""`reward-bench`: prompt, chosen, rejected, subset: to evaluate reward models (Lambert et al. 2024).

`subset` is the instance's metadata `subset`, else `category`, `domain` or `source`, else the aspect.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import TEXT, Columns
from exports.formats.texts import PROVENANCE, pair_columns, pair_texts, provenance
from exports.records import Pair, Shape

SUBSET_KEYS = ("subset", "category", "domain", "source")


def columns(shape: Shape) -> Columns:
    more = dict.fromkeys(("chosen_model", "rejected_model", "subset", "id"), TEXT)
    return {**pair_columns(shape), **more, **PROVENANCE}


def rows(pair: Pair, shape: Shape) -> Iterable[Row]:
    """One row a pair."""
    return (
        {
            **pair_texts(pair, shape),
            "chosen_model": pair.chosen_model,
            "rejected_model": pair.rejected_model,
            "subset": subset(pair),
            "id": pair.instance,
            **provenance(pair),
        },
    )


def subset(pair: Pair) -> str:
    return next((str(pair.metadata[key]) for key in SUBSET_KEYS if pair.metadata.get(key)), pair.aspect)


FORMAT = Format(
    name="reward-bench",
    label="Pairs by subset, to evaluate reward models",
    trainers=("RewardBench",),
    reads=Reads.PAIRS,
    columns=columns,
    rows=rows,
    metadata=True,
    check="pairs",
)
