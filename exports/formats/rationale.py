"""`rationale`: pairs with the reasons that people or judges gave, for critique and reasoning reward models.

Only reasons of labels that counted and that agree with the pair are kept: a reason for the other response
would argue against the row. Pairs without one are left out.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import TEXT, Columns, Many, record
from exports.formats.preference_strength import strength
from exports.formats.texts import PROVENANCE, pair_columns, pair_texts, provenance
from exports.names import shown_name
from exports.records import PREFERRED, Case, Pair, Shape, Verdict


def columns(shape: Shape) -> Columns:
    reasons = Many(record(rater=TEXT, kind=TEXT, text=TEXT, reasons=Many(TEXT)))
    return {**pair_columns(shape), "rationale": TEXT, "rationales": reasons, **PROVENANCE}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a pair that somebody explained; `rationale` is the longest of its reasons in own words."""
    for pair in case.pairs:
        held = [said for said in case.verdicts if explains(said, pair, shape)]
        if held:
            yield {
                **pair_texts(pair, shape),
                "rationale": max((words(said) for said in held), key=len),
                "rationales": [as_reason(said) for said in held],
                **provenance(pair),
            }


def explains(said: Verdict, pair: Pair, shape: Shape) -> bool:
    """Whether the label counted, gives a reason, and prefers what the pair prefers: neither, where nobody won."""
    if not said.counted or said.aspect != pair.aspect or not (words(said) or said.value.get("reasons")):
        return False
    towards = strength(said, pair.rejected_index, pair.chosen_index, shape)
    if towards is None:
        return False
    if "strength" in said.value and pair.chosen_index < pair.rejected_index:
        towards = -towards
    return towards > 0 if pair.outcome == PREFERRED else towards == 0


def words(said: Verdict) -> str:
    return said.rationale or said.value.get("comment", "")


def as_reason(said: Verdict) -> Row:
    return {
        "rater": shown_name(said.rater),
        "kind": said.kind,
        "text": words(said),
        "reasons": said.value.get("reasons", []),
    }


FORMAT = Format(
    name="rationale",
    label="Pairs with the reasons that people or judges gave",
    trainers=("critique and generative reward models", "DPOTrainer"),
    reads=Reads.CASES,
    of_pairs=True,
    columns=columns,
    rows=rows,
    needs="a counted label with a rationale or ticked reasons",
    check="pairs",
)
