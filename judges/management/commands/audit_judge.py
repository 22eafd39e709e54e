"""`audit_judge SLUG --judge NAME`: how far a judge can be trusted, and where not."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from judges.attacks import KINDS
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
            "--attacks", type=int, default=len(KINDS), metavar="N", help="hostile texts to try (0: none)"
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
        if report["self_preference"]:
            lines.append(f"  prefers its own by   {spoken(report['self_preference']['dbg'])} (DBG)")
        lines.append(f"  circles              {spoken(report['transitivity']['circles'])}")
        lines += calibrated(report["calibration"]) + asked_again(report) + worked(report["work"])
        return "\n".join(lines)


def calibrated(found: dict[str, Any] | None) -> list[str]:
    """Whether its probabilities are true, as they are and repaired."""
    if found is None:
        return []
    told = [(name, found[name]) for name in ("raw", "repaired")]
    return [
        f"  calibration, {name:8} ECE {one['ece']:.3f} (debiased {one['ece_debiased']:.3f}), Brier {one['brier']:.3f}, "
        f"slope {spoken(one['slope'])}"
        for name, one in told
    ]


def asked_again(report: dict[str, Any]) -> list[str]:
    """What asking it again showed, where it was asked."""
    said = [f"  {name} it stands {spoken(rate)}" for name, rate in report.get("consistency", {}).items()]
    if "attacks" in report:
        found = report["attacks"]
        said.append(
            f"  attacks flip {spoken(found['flips'])}; through the template {spoken(found['structural'])}; "
            f"by persuasion {spoken(found['persuasion'])}"
        )
    return said


def worked(found: dict[str, Any]) -> list[str]:
    """Cost and pace."""
    pace = "" if found["pairs_per_second"] is None else f", {found['pairs_per_second']:.2f} pairs a second"
    return [
        f"  an instance takes {found['seconds_an_instance']:.3f} s and costs {found['cost_an_instance']:.6f}{pace}; "
        f"without a verdict {spoken(found['failures'])}"
    ]


def spoken(estimate: dict[str, Any]) -> str:
    """An estimate in a line."""
    if estimate["value"] is None:
        return "unknown"
    interval = "" if estimate["low"] is None else f" [{estimate['low']:.3f}, {estimate['high']:.3f}]"
    return f"{estimate['value']:.3f}{interval} n={estimate['n']}"
