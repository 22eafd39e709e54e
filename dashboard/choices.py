"""The choices of an export as controls of a form, and read back from what a form sends."""

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict

from exports.choices import Choices

# The form's groups: what a person looks for together. A choice that stands in none comes last.
GROUPS = {
    "labels": ("aspect", "labels", "consensus", "source", "ties", "undecided"),
    "pairs": ("pairs", "pairs_per_prompt", "min_margin", "min_agreement", "threshold", "prompt"),
    "texts": (
        "tokenizer",
        "max_tokens",
        "language",
        "where",
        "secrets",
        "personal",
        "identical",
        "deduplicate",
    ),
    "order": ("balance", "half", "order", "splits", "seed"),
}


@dataclass(frozen=True)
class Control:
    """One choice as a control of the form."""

    name: str
    help: str
    values: tuple[str, ...]  # to choose from; empty: typed
    kind: str  # checkbox, number, text or select
    value: Any
    changed: bool = False

    @property
    def title(self) -> str:
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Group:
    """Controls that stand together."""

    name: str
    controls: list[Control]

    @property
    def changed(self) -> int:
        """How many of them are not at their defaults."""
        return sum(control.changed for control in self.controls)


def controls(shown: Mapping[str, Any], offered: Mapping[str, tuple[str, ...]] | None = None) -> list[Control]:
    """A control for every field of `Choices`, showing what was chosen; `offered` names what a text may be."""
    return [
        control(spec, shown.get(spec.name, spec.default), (offered or {}).get(spec.name, ()))
        for spec in fields(Choices)
    ]


def control(spec: Field[Any], value: Any, offered: tuple[str, ...]) -> Control:
    values = spec.metadata.get("values") or offered
    kinds = {bool: "checkbox", int: "number", float: "number"}
    kind = "select" if values else kinds.get(type(spec.default), "text")
    return Control(spec.name, spec.metadata["help"], values, kind, value, not is_default(spec, value))


def is_default(spec: Field[Any], value: Any) -> bool:
    """Whether the value, as a form gives it, says no more than the default does."""
    return str(value).lower() in {str(spec.default).lower(), "", "0" if spec.default == 0 else ""}


def groups(everything: Iterable[Control]) -> list[Group]:
    """The controls by group, those of none last."""
    by_name = {control.name: control for control in everything}
    made = [Group(name, [by_name.pop(each) for each in names]) for name, names in GROUPS.items()]
    return [*made, *([Group("further", list(by_name.values()))] if by_name else [])]


def back_with(given: QueryDict, *, version: str = "") -> str:
    """The query that brings the form back: the format and the file, and the version or the choices as they were."""
    kept = {name: given[name] for name in ("format", "container") if given.get(name)}
    named = version or given.get("version", "")
    held = kept | ({"version": named} if named else {})
    return "?" + urlencode(held if version else held | chosen(given))


def chosen(given: QueryDict) -> dict[str, str]:
    """The choices that an address or the form names.

    The form says under `shown` for which version its controls were filled in. Where that is the version that is
    asked for, all of them count; for another one only those that are not at their defaults, since the rest would
    undo what that version was frozen with.
    """
    specs = {spec.name: spec for spec in fields(Choices)}
    named = {name: str(value) for name, value in given.items() if name in specs}
    if "shown" not in given:
        return {name: value for name, value in named.items() if value != ""}
    if given["shown"] != given.get("version", ""):
        return {name: value for name, value in named.items() if not is_default(specs[name], value)}
    off = {name: "false" for name, spec in specs.items() if isinstance(spec.default, bool)}
    return off | {name: value for name, value in named.items() if value != "" or specs[name].default == ""}
