"""What an upload holds, before anything is written: how its columns map, and its first instances."""

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.utils.translation import gettext as _

from ledger.imports.columns import MODEL, PROMPTS, RESPONSE, matching
from ledger.imports.drafts import Draft
from ledger.imports.files import opened, read_rows
from ledger.imports.joining import Made, drafts_of
from ledger.imports.recognising import recognise
from web.problems import Invalid

LOOKED_AT = 200  # rows
SHOWN = 3


@dataclass(frozen=True)
class Column:
    name: str
    becomes: str
    sample: str


@dataclass
class Preview:
    """The first rows of a file as they would be imported."""

    schema: str = ""
    columns: list[Column] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    rows: int = 0
    good: int = 0  # instances that they become
    labels: int = 0
    complete: bool = False  # whether the rows looked at are all there are
    errors: list[dict[str, Any]] = field(default_factory=list)


def preview_file(path: str | Path, *, name: str) -> Preview:
    """A preview of the file's first rows. Raises `Invalid` where it is no text, or damaged."""
    preview = Preview()
    samples: dict[str, Any] = {}
    with opened(path) as stream:
        rows = list(islice(read_rows(stream, name=name), LOOKED_AT + 1))
    preview.complete = len(rows) <= LOOKED_AT
    good = [row for _, row in rows[:LOOKED_AT] if isinstance(row, dict)]
    preview.rows = len(rows[:LOOKED_AT])
    preview.schema = recognise(good[0]) if good else ""
    for row in good:
        samples = {**row, **samples}
    for line, made in drafts_of(rows[:LOOKED_AT]):
        look_at(preview, line, made)
    preview.columns = [
        Column(name, becomes(name, samples, preview.schema), sample(samples[name])) for name in samples
    ]
    return preview


def look_at(preview: Preview, line: int, made: Made) -> None:
    if isinstance(made, Invalid):
        preview.errors.append({"line": line, "error": made.detail})
    elif made is not None:
        preview.good += 1
        preview.labels += len(made.labels)
        preview.drafts += [made] if len(preview.drafts) < SHOWN else []


def sample(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= 90 else text[:90] + "…"


def becomes(column: str, row: dict[str, Any], schema: str) -> str:
    """What a column turns into."""
    named = {"switchyard": of_switchyard, "preference": of_preference, "columns": of_columns}
    return named.get(schema, of_switchyard)(column, row)


def of_switchyard(column: str, row: dict[str, Any]) -> str:
    known = {
        "id": _("the instance's id"),
        "prompt": _("prompt"),
        "responses": _("responses"),
        "context": _("context, shown beside the prompt"),
        "human": _("labels by people"),
        "ai": _("labels by judges"),
    }
    return known.get(column, _("metadata"))


def of_preference(column: str, row: dict[str, Any]) -> str:
    known = {
        "id": _("the instance's id"),
        "instance": _("the instance's id"),
        "prompt": _("prompt"),
        "chosen": _("response 1, preferred"),
        "rejected": _("response 2"),
        "system": _("context, shown beside the prompt"),
        "source": _("metadata; “ai” makes the label a judge's"),
    }
    return known.get(column, _("metadata"))


def of_columns(column: str, row: dict[str, Any]) -> str:
    responses = {name: place for place, (_key, name) in enumerate(sorted(matching(row, RESPONSE).items()), 1)}
    models = matching(row, MODEL)
    if column in responses:
        return _("response %s") % responses[column]
    if column in models.values():
        return _("the model of a response")
    if column == next((name for name in PROMPTS if row.get(name) is not None), None):
        return _("prompt")
    return of_switchyard(column, row)
