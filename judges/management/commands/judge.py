"""`judge SLUG --judge NAME [--limit N] [--sync]`: have a judge label a project's instances."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from decimal import Decimal
from typing import Any

from django.utils import timezone

from judges.actions import cancel_run, end_run, run_chunk, start_run
from judges.models import JudgeRun, RunChunk
from judges.problems import BudgetSpent
from ledger.access import find_project
from web.commands import ReportCommand
from web.problems import Invalid, Problem, Unready

PATIENCE = 60  # seconds without any worker taking a chunk before the command gives up


class NoWorker(Unready):
    code, title = "no-judge-worker", "No judge worker is at work"


class Command(ReportCommand):
    help = "Have a judge label a project's instances."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--judge", required=True, metavar="NAME")
        parser.add_argument("--limit", type=int, metavar="N", help="at most N instances")
        parser.add_argument("--aspect", action="append", default=[], metavar="NAME", help="only this aspect")
        parser.add_argument("--max-cost", type=Decimal, metavar="AMOUNT", help="stop before more is spent")
        parser.add_argument("--sync", action="store_true", help="in this process, without a worker")

    def run(
        self,
        *,
        slug: str,
        judge: str,
        limit: int | None,
        aspect: list[str],
        max_cost: Decimal | None,
        sync: bool,
        **options: Any,
    ) -> dict[str, Any]:
        if limit is not None and limit < 1:
            raise Invalid(f"--limit must be at least 1, not {limit}.", limit=limit)
        run = start_run(
            project=find_project(slug),
            judge=judge,
            limit=limit,
            aspect_names=aspect,
            budget=max_cost,
            queued=not sync,
        )
        began = time.monotonic()
        run = self.work(run) if sync else self.wait(run)
        seconds = run.seconds if sync else time.monotonic() - began
        return {
            "judge": judge,
            "labelled": run.labelled,
            "seconds": round(seconds, 3),
            "pairs_per_second": round(run.pairs / seconds, 3) if seconds else 0.0,
            "failed": run.failed,
            "status": run.status,
        }

    def work(self, run: JudgeRun) -> JudgeRun:
        """Every chunk in this process, in order."""
        for pk in run.chunks.order_by("number").values_list("pk", flat=True):
            try:
                run_chunk(pk, at=timezone.now())
            except BudgetSpent as problem:
                return end_run(run, problem)
            except Problem as problem:
                end_run(run, problem)
                raise
            run.refresh_from_db()
            self.tell(run)
        run.refresh_from_db()
        return run

    def wait(self, run: JudgeRun) -> JudgeRun:
        """The run as it ended in the workers. Raises `NoWorker` where none takes it up."""
        began = time.monotonic()
        while run.active:
            time.sleep(0.3)
            before = run.done
            run.refresh_from_db()
            if run.done != before:
                self.tell(run)
            untouched = not run.chunks.exclude(status=RunChunk.Status.WAITING).exists()
            if untouched and time.monotonic() - began > PATIENCE:
                cancel_run(run)
                raise NoWorker(
                    f"No judge worker took up the run within {PATIENCE} s: start one, or use --sync."
                )
        if run.status == JudgeRun.Status.FAILED:
            raise Invalid(run.problem, run=run.pk)
        return run

    def tell(self, run: JudgeRun) -> None:
        self.stderr.write(f"{run.done} of {run.total} instances", ending="\r" if run.active else "\n")

    def text(self, report: dict[str, Any]) -> str:
        return (
            f"{report['judge']} labelled {report['labelled']} instances in {report['seconds']:.1f} s "
            f"({report['pairs_per_second']:.2f} pairs a second); {report['failed']} without a verdict."
        )
