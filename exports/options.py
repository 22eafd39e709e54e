"""The choices, and a dataset's version, as options of a command line."""

from argparse import ArgumentParser
from dataclasses import fields
from typing import Any

from django.core.management.base import CommandParser

from exports.choices import Choices
from web.commands import ReportCommand


class VersionedCommand(ReportCommand):
    """A command whose `--version` names a dataset's version, in place of Django's own option."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)


def add_choices(parser: ArgumentParser) -> None:
    """An option for each choice, `--min-margin 0.5`; what is left out keeps its default."""
    group = parser.add_argument_group("choices")
    for spec in fields(Choices):
        values = spec.metadata.get("values")
        group.add_argument(
            f"--{spec.name.replace('_', '-')}",
            metavar="|".join(values) if values else type(spec.default).__name__.upper(),
            nargs="?" if isinstance(spec.default, bool) else None,
            const="true" if isinstance(spec.default, bool) else None,
            help=f"{spec.metadata['help']}; default: {spec.default!r}",
        )


def given_choices(options: dict[str, Any]) -> dict[str, str]:
    """What the parsed options say of the choices; those left out are not named."""
    names = {spec.name for spec in fields(Choices)}
    return {name: value for name, value in options.items() if name in names and value is not None}
