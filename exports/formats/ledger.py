"""`ledger`: everything, for archives: every instance with its responses and every label, superseded ones too.

A line can be imported again (`import_instances --schema ledger`) and gives the same ledger: contents, values,
orders, times, costs, what replaced what and which guidelines were read (a version's text stands in the first line
whose labels name it). `counted` says whether a label settled the preference of the
moment; it is for readers, the import derives it anew.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import JSON, TEXT, Columns
from exports.records import Answer, Case, Shape, Verdict

LEFT_OUT = ("settings", "profile")  # of the aspect and the rater: they stand once, in `aspects` and `raters`


def columns(shape: Shape) -> Columns:
    return {"id": TEXT} | dict.fromkeys(
        ("prompt", "responses", "context", "metadata", "guidelines", "aspects", "raters", "labels"), JSON
    )


def begin(shape: Shape) -> Callable[[Case], Iterable[Row]]:
    """A function that gives one row an instance; it remembers which versions of the guidelines are written."""
    written: set[int] = set()

    def rows(case: Case) -> Iterable[Row]:
        fresh = {str(n): version for n, version in case.guidelines.items() if n not in written}
        written.update(case.guidelines)
        return as_rows(case, fresh)

    return rows


def as_rows(case: Case, guidelines: dict[str, dict[str, str]]) -> Iterable[Row]:
    return (
        {
            "id": case.instance,
            "prompt": case.prompt,
            "responses": [response(answer) for answer in case.answers],
            "context": case.context,
            "metadata": case.metadata,
            "guidelines": guidelines,
            "aspects": {
                said.aspect: {"task_type": said.task_type, "settings": said.settings}
                for said in case.verdicts
            },
            "raters": {said.rater: {"kind": said.kind, "level": said.level} for said in case.verdicts},
            "labels": [label(said) for said in case.verdicts],
        },
    )


def response(answer: Answer) -> dict[str, Any]:
    """As the import schema `switchyard` has it."""
    held: dict[str, Any] = {**answer.metadata, "id": answer.key, "model": answer.model, "text": answer.text}
    return {**held, "messages": answer.messages} if answer.messages else held


def label(said: Verdict) -> dict[str, Any]:
    return {name: value for name, value in asdict(said).items() if name not in LEFT_OUT}


FORMAT = Format(
    name="ledger",
    label="Everything, for archives: instances, responses and every label",
    trainers=(),
    reads=Reads.CASES,
    whole=True,
    columns=columns,
    begin=begin,
    needs="an instance",
    all_aspects=True,
)
