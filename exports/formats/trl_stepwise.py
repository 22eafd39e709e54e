"""`trl-stepwise`: prompt, completions (the steps) and labels (whether each is right), for process reward models.

TRL's stepwise supervision type: standard format only. A step marked neutral counts as right, as in
PRM800K's use (Lightman et al. 2023, appendix on neutral labels); `marks` keeps what was said. TRL 1.16 has
dropped its PRM trainer, so the step is checked with a token classifier instead.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import FLAG, INTEGER, NUMBER, TEXT, Columns, Many
from exports.formats.marks import stretches
from exports.formats.texts import as_messages, row_id
from exports.records import Case, Shape

WRONG = "wrong"
TASK = "steps"


def columns(shape: Shape) -> Columns:
    lists = {"completions": Many(TEXT), "labels": Many(FLAG), "marks": Many(TEXT), "agreement": Many(NUMBER)}
    return {"prompt": TEXT, **lists, "response": INTEGER, "model": TEXT, "instance": TEXT, "row": TEXT}


def rows(case: Case, shape: Shape) -> Iterable[Row]:
    """One row a response whose steps were marked."""
    for aspect in (name for name in shape.aspects if shape.tasks[name] == TASK):
        for answer in case.answers:
            if steps := stretches(case, answer, aspect):
                yield {
                    "prompt": standard(case),
                    "completions": [step.text for step in steps],
                    "labels": [step.label != WRONG for step in steps],
                    "marks": [step.label for step in steps],
                    "agreement": [step.agreement for step in steps],
                    "response": answer.index,
                    "model": answer.model,
                    "instance": case.instance,
                    "row": row_id(shape, aspect, str(answer.index), case.instance),
                }


def standard(case: Case) -> str:
    """The prompt as one text: a chat's turns, each after its role, since the type has no conversational form."""
    if isinstance(case.prompt, str) and not case.context.get("system"):
        return case.prompt
    turns = as_messages(case.prompt, case.context.get("system"))
    return "\n\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)


FORMAT = Format(
    name="trl-stepwise",
    label="Steps with right or wrong, for process reward models",
    trainers=("process reward models",),
    reads=Reads.CASES,
    marked=True,
    columns=columns,
    rows=rows,
    needs="an aspect of the task type steps",
    all_aspects=True,
    check="stepwise",
)
