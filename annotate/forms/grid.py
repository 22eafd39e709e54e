"""Rows of responses, columns of choices: what ranking and rating share on the screen."""

from dataclasses import dataclass

from annotate.forms.base import Option


@dataclass(frozen=True)
class Row:
    """One response's controls: its place on the screen (from 1), its index in the instance, its field."""

    place: int
    index: int
    field: str
    value: str
    options: list[Option]
