from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from exports.actions import write_export
from exports.choices import parse_choices
from exports.containers import CONTAINERS, container_for
from exports.datasets import find_snapshot, open_live, open_snapshot
from exports.formats import FORMATS
from exports.options import VersionedCommand, add_choices, given_choices
from ledger.access import find_project


class Command(VersionedCommand):
    help = "Write a dataset: a version that was frozen, or the project as it is now, settled first."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--format", required=True, help=", ".join(FORMATS))
        parser.add_argument("--version", metavar="NAME", help="a snapshot's; default: live")
        parser.add_argument("--output", required=True, metavar="PATH", help="a folder where it ends in /")
        parser.add_argument(
            "--container", help=f"{', '.join(CONTAINERS)}, folder; default: by the output's name"
        )
        add_choices(parser)

    def run(self, **options: Any) -> dict[str, Any]:
        FORMATS.load(options["format"])
        project = find_project(options["project"])
        given = given_choices(options)
        if options["version"] is not None:
            dataset = open_snapshot(find_snapshot(project, options["version"]), given)
        else:
            dataset = open_live(project, parse_choices(given))
        container = options["container"] or container_for(options["output"])
        return write_export(
            dataset, format=options["format"], container=container, path=Path(options["output"])
        )
