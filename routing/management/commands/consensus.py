from argparse import ArgumentParser
from typing import Any

from ledger.access import find_project
from routing.actions import settle
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Settle a project: aggregate the labels that count into preferences."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--method", help="majority, dawid_skene …; default: the project's, else majority")

    def run(self, **options: Any) -> dict[str, Any]:
        counts = settle(find_project(options["project"]), method=options["method"]).counts
        return {name: counts[name] for name in ("preferences", "ties", "undecided")}
