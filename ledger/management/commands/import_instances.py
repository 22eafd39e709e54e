from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ledger.access import find_project
from ledger.imports import AUTO, SCHEMAS
from ledger.imports.load import import_file
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Import instances, with the labels that they carry, from JSON Lines, CSV or Parquet."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("file")
        parser.add_argument("--schema", default=AUTO, help=f"{AUTO} (default), {', '.join(SCHEMAS)}")
        parser.add_argument("--dry-run", action="store_true", help="report, and write nothing")

    def run(self, *, slug: str, file: str, schema: str, dry_run: bool, **options: Any) -> dict[str, Any]:
        return import_file(find_project(slug), file, schema=schema, dry_run=dry_run).as_dict()

    def text(self, report: dict[str, Any]) -> str:
        labels = report["labels"]
        lines = [
            f"{report['imported']} instances imported, {report['duplicates']} duplicates, "
            f"{labels['human']} labels by people and {labels['ai']} by judges, {len(report['errors'])} bad lines."
        ]
        lines += [f"line {error['line']}: {error['error']}" for error in report["errors"]]
        return "\n".join(lines)

    def conclude(self, report: dict[str, Any]) -> None:
        if report["errors"]:
            raise CommandError(f"{len(report['errors'])} lines could not be imported; the rest was.")
