from argparse import ArgumentParser
from typing import Any

from exports.actions import create_snapshot
from exports.choices import parse_choices
from exports.options import VersionedCommand, add_choices, given_choices
from ledger.access import find_project


class Command(VersionedCommand):
    help = "Freeze a version of a project's dataset, hashed, so that it can be exported again byte for byte."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--version", required=True, metavar="NAME")
        add_choices(parser)

    def run(self, **options: Any) -> dict[str, Any]:
        project = find_project(options["project"])
        choices = parse_choices(given_choices(options), paths=True)
        made = create_snapshot(project, version=options["version"], choices=choices)
        return {"version": made.version, "rows": made.rows, "hash": made.hash}
