"""Labels made of marks in texts, for the schemas that carry them."""

from typing import Any

from ledger.imports.drafts import BadRow, DraftLabel, check_text
from ledger.imports.preference import imported
from ledger.task_types import TASK_TYPES
from ledger.task_types.spans import MOST_LABELS

Mark = dict[str, Any]


def marked(row: dict[str, Any], task: str, marks: list[Mark]) -> DraftLabel:
    """The label of these marks, on an aspect of this task. Raises `BadRow`."""
    return imported(row, task, {"marks": marks}, {"labels": offered(task, marks)})


def offered(task: str, marks: list[Mark]) -> list[str]:
    """The words of an aspect that can hold the marks: the task's own, if there is room, and theirs. Raises `BadRow`."""
    words = list(dict.fromkeys(check_text(mark.get("label"), "a mark") for mark in marks))
    if len(words) > MOST_LABELS or "" in words:
        raise BadRow(f"A row takes at most {MOST_LABELS} kinds of marks, each with a name.")
    both = list(dict.fromkeys([*TASK_TYPES.load(task).labels, *words]))
    return both if len(both) <= MOST_LABELS else words
