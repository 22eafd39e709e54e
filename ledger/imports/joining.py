"""From rows to drafts: each row by its schema, and rows about single responses of one instance put back together.

Those must follow each other in the file, as they do in every export but one ordered by margin. Only the open
group is held in memory.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from ledger.imports import AUTO, SCHEMAS
from ledger.imports.drafts import MAX_RESPONSES, BadRow, Draft, DraftLabel, DraftResponse, Part, widest
from ledger.imports.files import Row
from ledger.imports.recognising import recognise
from web.problems import Invalid

BY_RESPONSE = ("ratings", "edits")  # the parts of a value that name responses by their index
Made = Draft | Invalid | None


def drafts_of(rows: Iterable[Row], schema: str = AUTO) -> Iterator[tuple[int, Made]]:
    """(line, draft) in the file's order; the problem of a bad row, None for what another row says already."""
    group: Group | None = None
    for line, row in rows:
        made = parse_row(row, schema)
        if isinstance(made, Part):
            if group is not None and not group.takes(made):
                yield group.line, group.draft()
                group = None
            group = group or Group(line, made)
            if (bad := group.add(made)) is not None:
                yield line, bad
            continue
        if group is not None and isinstance(made, Draft):
            yield group.line, group.draft()
            group = None
        yield line, made
    if group is not None:
        yield group.line, group.draft()


def parse_row(row: dict[str, Any] | BadRow, schema: str) -> Draft | Part | Invalid | None:
    """What a schema makes of the row, or why it cannot."""
    if isinstance(row, BadRow):
        return row
    try:
        made: Draft | Part | None = SCHEMAS.load(recognise(row) if schema == AUTO else schema)(row)
    except Invalid as bad:
        return bad
    return made


class Group:
    """The parts of one instance, so far."""

    def __init__(self, line: int, first: Part) -> None:
        self.line, self.first = line, first
        self.responses: dict[int, DraftResponse] = {}
        self.said: list[tuple[int, DraftLabel]] = []

    def takes(self, part: Part) -> bool:
        """Whether the part is of this instance: of the same id, or, without one, of the same prompt."""
        return part.ref == self.first.ref and (bool(part.ref) or part.prompt == self.first.prompt)

    def add(self, part: Part) -> BadRow | None:
        """Takes the part's response and labels; the problem where they do not fit those before."""
        index = len(self.responses) if part.index is None else part.index
        part.response.key = f"r{index + 1}"
        if part.prompt != self.first.prompt or self.responses.get(index, part.response) != part.response:
            return BadRow(f"Another row of the instance {part.ref!r} has another prompt or text.")
        if index not in self.responses and len(self.responses) == MAX_RESPONSES:
            return BadRow(f"An instance has at most {MAX_RESPONSES} responses.")
        self.responses[index] = part.response
        self.said += [(index, label) for label in part.labels]
        return None

    def draft(self) -> Draft:
        """The instance with the responses that the file holds, in their order."""
        order = sorted(self.responses)
        labels: dict[Any, DraftLabel] = {}
        for index, label in self.said:
            label.value = moved(label.value, order.index(index))
            place = (label.kind, label.rater, label.aspect, label.task_type)
            if place not in labels or not merge(labels[place], label):
                labels[(*place, len(labels)) if place in labels else place] = label
        return Draft(
            ref=self.first.ref,
            prompt=self.first.prompt,
            responses=[self.responses[index] for index in order],
            context=self.first.context,
            metadata=self.first.metadata,
            labels=list(labels.values()),
        ).finish()


def moved(value: dict[str, Any], index: int) -> dict[str, Any]:
    """The value about response 0 as one about response `index`."""
    by_response = {name: {str(index): value[name]["0"]} for name in BY_RESPONSE if name in value}
    marks = {"marks": [{**mark, "response": index} for mark in value["marks"]]} if "marks" in value else {}
    return {**value, **by_response, **marks}


def merge(first: DraftLabel, label: DraftLabel) -> bool:
    """Joins what one rater said of several responses into one label; False where both speak of the same."""
    if any(set(first.value[name]) & set(label.value[name]) for name in BY_RESPONSE if name in label.value):
        return False
    for name in BY_RESPONSE:
        if name in label.value:
            first.value[name] |= label.value[name]
    if "marks" in label.value:
        first.value["marks"] += label.value["marks"]
    if label.scale:
        first.scale = widest(first.scale, label.scale)
    return True
