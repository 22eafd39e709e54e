"""`backup PATH`: the database and the media in one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.utils import timezone

from dashboard.backups import write_backup
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Write everything, the database and the media, to one file; works beside a running server."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH")

    def run(self, *, path: Path, **options: Any) -> dict[str, Any]:
        return write_backup(path, at=timezone.now())

    def text(self, report: dict[str, Any]) -> str:
        return (
            f"{report['path']}: {report['projects']} projects, {report['labels']} labels, "
            f"{report['media_files']} media files, {report['bytes']:,} bytes"
        )
