"""`try_judge SLUG --judge NAME`: a few instances with prompts, raw answers, verdicts and cost; nothing is
written.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from judges.trying import try_judge
from ledger.access import find_project
from web.commands import ReportCommand
from web.problems import Invalid


class Command(ReportCommand):
    help = "Try a judge on a few instances: prompts, raw answers, verdicts, cost. Nothing is written."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--judge", required=True, metavar="NAME")
        parser.add_argument("--instances", type=int, default=5, metavar="N")

    def run(self, *, slug: str, judge: str, instances: int, **options: Any) -> dict[str, Any]:
        if instances < 1:
            raise Invalid(f"--instances must be at least 1, not {instances}.")
        return try_judge(project=find_project(slug), judge=judge, n=instances)

    def text(self, report: dict[str, Any]) -> str:
        lines = []
        for trial in report["trials"]:
            lines.append(f"=== {trial['instance']}  ({trial['seconds']} s, cost {trial['cost']:.6f})")
            lines += [f"--- {one['kind']}\n{one['prompt']}\n--> {one['answer']}" for one in trial["asked"]]
            lines += [f"*** {one['aspect']}: {one['verdicts'] or one['failed']}" for one in trial["verdicts"]]
        lines.append(f"Forecast for all {report['instances']} instances: {report['forecast']:.4f}")
        return "\n".join(lines)
