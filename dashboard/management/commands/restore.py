"""`restore PATH`: put back what `backup` wrote."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from dashboard.backups import restore_backup
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Restore a backup into this database; --replace where projects exist already."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH")
        parser.add_argument("--replace", action="store_true", help="delete the projects that exist here")

    def run(self, *, path: Path, replace: bool, **options: Any) -> dict[str, Any]:
        return restore_backup(path, replace=replace)

    def text(self, report: dict[str, Any]) -> str:
        return f"Restored {report['projects']} projects and {report['labels']} labels of {report['created']}."
