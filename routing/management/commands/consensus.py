from argparse import ArgumentParser
from typing import Any

from ledger.access import find_project
from routing.actions import own_method, settle
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Settle a project: aggregate the labels that count into preferences."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--method", help="majority, dawid_skene, wawa, fused …; default: the project's")

    def run(self, **options: Any) -> dict[str, Any]:
        project = find_project(options["project"])
        counts = settle(project, method=options["method"] or own_method(project)).counts
        return {name: counts[name] for name in ("preferences", "ties", "undecided")}
