"""The base of every command that reports: clear errors, and `--json PATH` with `-` for standard output."""

import sys
from abc import ABC, abstractmethod
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from web.problems import Problem


class ReportCommand(BaseCommand, ABC):
    """Subclasses write `arguments(parser)` and `run(**options) -> dict`; `text(report)` is what a person reads."""

    requires_system_checks = []  # they import every page; `make test` runs them

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", metavar="PATH", help="write the report there as JSON; - for standard output"
        )
        self.arguments(parser)

    def arguments(self, parser: ArgumentParser) -> None:
        """Subclasses add their arguments here."""

    @abstractmethod
    def run(self, *args: Any, **options: Any) -> dict[str, Any]:
        """The report. Raise a `Problem` for what is refused."""

    def text(self, report: dict[str, Any]) -> str:
        return "\n".join(f"{key}: {value}" for key, value in report.items())

    def handle(self, *args: Any, **options: Any) -> None:
        target = options.pop("json")
        quiet = target == "-"
        self.out = sys.stderr if quiet else self.stdout
        migrate_where_new()
        try:
            report = self.run(**options)
        except Problem as problem:
            raise CommandError(problem.detail) from problem
        self.publish(report, target)
        if not quiet:
            self.stdout.write(self.text(report))
        self.conclude(report)

    def publish(self, report: dict[str, Any], target: str | None) -> None:
        """Writes the JSON where it was asked for."""
        if target is None:
            return
        data = orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode()
        if target == "-":
            self.stdout.write(data)
            return
        try:
            Path(target).write_text(data + "\n", encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The report cannot be written to {target}: {error.strerror}.") from error

    def conclude(self, report: dict[str, Any]) -> None:
        """Raise `CommandError` here where the report itself means a non-zero exit."""


def migrate_where_new() -> None:
    """Gives an embedded database that was made a moment ago its tables, so that a lone command works."""
    if settings.EMBEDDED and not connection.introspection.table_names():
        call_command("migrate", interactive=False, verbosity=0)
