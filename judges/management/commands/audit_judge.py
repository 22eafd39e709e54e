"""`audit_judge SLUG --judge NAME`: how far a judge can be trusted, and where not."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from judges.auditing import audit
from ledger.access import find_project
from web.commands import ReportCommand
from web.problems import Invalid


class Command(ReportCommand):
    help = "Audit a judge: agreement, biases, calibration, consistency, injection, cost."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--judge", required=True, metavar="NAME")
        parser.add_argument("--aspect", metavar="NAME", help="default: overall, else the project's first")
        parser.add_argument(
            "--live", type=int, default=8, metavar="N", help="instances to ask again (0: none)"
        )
        parser.add_argument(
            "--attacks", type=int, default=19, metavar="N", help="hostile texts to try (0: none)"
        )

    def run(
        self, *, slug: str, judge: str, aspect: str | None, live: int, attacks: int, **options: Any
    ) -> dict[str, Any]:
        if live < 0 or attacks < 0:
            raise Invalid("--live and --attacks must not be negative.")
        return audit(
            project=find_project(slug), judge=judge, aspect=aspect, instances=live, attacks=attacks
        ).report

    def text(self, report: dict[str, Any]) -> str:
        lines = [f"{report['judge']} on {report['aspect']}: {report['judged']} judged"]
        found = report["agreement"]
        for name in ("raw", "no_ties", "kappa", "averaged", "people", "longer"):
            lines.append(f"  {name:10} {spoken(found[name])}")
        lines.append(f"  standing   {found['standing']} (beside 'the longer wins')")
        lines.append(
            f"  first shown chosen {spoken(report['position']['first_shown'])}; after averaging "
            f"{spoken(report['position']['after'])}; flips {spoken(report['position']['flips'])}"
        )
        for name, slope in report["slopes"].items():
            lines.append(f"  slope of {name:20} {spoken(slope)}")
        if report.get("attacks"):
            lines.append(f"  attacks flip {spoken(report['attacks']['flips'])}")
        return "\n".join(lines)


def spoken(estimate: dict[str, Any]) -> str:
    """An estimate in a line."""
    if estimate["value"] is None:
        return "unknown"
    interval = "" if estimate["low"] is None else f" [{estimate['low']:.3f}, {estimate['high']:.3f}]"
    return f"{estimate['value']:.3f}{interval} n={estimate['n']}"
