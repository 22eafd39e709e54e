from argparse import ArgumentParser
from typing import Any

from exports.comparison import compare
from exports.datasets import find_snapshot
from exports.reading import one_moment
from ledger.access import find_project
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Compare two snapshots: rows added, removed and changed, and why."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("old", metavar="VERSION")
        parser.add_argument("new", metavar="VERSION")

    def run(self, **options: Any) -> dict[str, Any]:
        project = find_project(options["project"])
        old, new = (find_snapshot(project, options[which]) for which in ("old", "new"))
        with one_moment():
            return compare(old, new)

    def text(self, report: dict[str, Any]) -> str:
        lines = [f"rows: {report['rows']}" + (", the same hash" if report["same_hash"] else "")]
        for kind in ("added", "removed", "changed"):
            held = report[kind]
            lines.append(
                f"{kind}: {held['count']}" + "".join(f"\n  {n} {why}" for why, n in held["why"].items())
            )
        return "\n".join(lines)
