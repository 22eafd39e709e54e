"""`trl-prompt-only`: each prompt once, for online trainers (TRL's GRPO, RLOO and Online DPO).

`reference` is the instance's reference answer or, without one, "": reward functions receive it as a column.
"""

from collections.abc import Callable, Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import TEXT, Columns
from exports.formats.texts import case_prompt, text_type
from exports.records import Case, Shape
from exports.seen import Seen


def columns(shape: Shape) -> Columns:
    return {"prompt": text_type(shape), "reference": TEXT, "instance": TEXT}


def begin(shape: Shape) -> Callable[[Case], Iterable[Row]]:
    """A function that gives one row for an instance whose prompt is new."""
    seen = Seen()

    def rows(case: Case) -> Iterable[Row]:
        if seen(case.group) > 1:
            return ()
        reference = case.context.get("reference") or case.metadata.get("reference") or ""
        return ({"prompt": case_prompt(case, shape), "reference": str(reference), "instance": case.instance},)

    return rows


FORMAT = Format(
    name="trl-prompt-only",
    label="Prompts alone, for online trainers",
    trainers=("GRPOTrainer", "RLOOTrainer", "OnlineDPOTrainer"),
    reads=Reads.CASES,
    columns=columns,
    begin=begin,
    needs="an instance",
    all_aspects=True,
    check="prompt-only",
)
