from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson

from exports.actions import write_export
from exports.cards import card, manifest
from exports.choices import parse_choices
from exports.containers import CONTAINERS, container_for
from exports.datasets import Dataset, find_snapshot, open_live, open_snapshot
from exports.formats import FORMATS
from exports.options import VersionedCommand, add_choices, given_choices
from exports.writing import write_whole
from ledger.access import find_project
from web.registry import Registry

DESTINATIONS = Registry("destination", {"hub": "exports.hub:push_folder"})  # loaded where asked for: 15 MB


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
        parser.add_argument("--manifest", type=Path, metavar="PATH", help="write the facts there, as JSON")
        parser.add_argument(
            "--card", type=Path, metavar="PATH", help="write the dataset card there, as Markdown"
        )
        parser.add_argument("--push", metavar="NAME", help="push the folder to the hub; needs HF_TOKEN")
        add_choices(parser)

    def run(self, **options: Any) -> dict[str, Any]:
        FORMATS.load(options["format"])
        project = find_project(options["project"])
        given = given_choices(options)
        if options["version"] is not None:
            dataset = open_snapshot(find_snapshot(project, options["version"]), given, paths=True)
        else:
            dataset = open_live(project, parse_choices(given, paths=True))
        path, container = Path(options["output"]), options["container"] or container_for(options["output"])
        report = write_export(dataset, format=options["format"], container=container, path=path)
        self.describe(dataset, report, options)
        if options["push"]:
            report["pushed"] = DESTINATIONS.load("hub")(path, name=options["push"])
        return report

    def describe(self, dataset: Dataset, report: dict[str, Any], options: dict[str, Any]) -> None:
        """Writes the manifest and the card where they were asked for."""
        if options["manifest"] is None and options["card"] is None:
            return
        entry = FORMATS.load(options["format"])
        facts = manifest(dataset, entry, report)
        if options["manifest"]:
            write_whole(options["manifest"], [orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n"])
        if options["card"]:
            write_whole(options["card"], [card(facts, entry, report.get("splits", {})).encode()])
