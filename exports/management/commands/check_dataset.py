import json
import sys
from argparse import ArgumentParser
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from exports.checks.check import check_dataset
from web.commands import ReportCommand


class Command(ReportCommand):
    help = (
        "Check an exported file before training: a probe reward model, and a step of the matching trainers."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="FILE", help="JSON Lines, Parquet or a dataset folder")
        parser.add_argument("--format", default="trl-preference", help="default: trl-preference")
        parser.add_argument("--seconds", type=float, default=60.0, help="for the probe; default: 60")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--no-training", action="store_true", help="the probe alone")
        parser.add_argument(
            "--steps",
            type=int,
            default=0,
            help="also train a small model for this many steps, on a GPU if any",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        with redirect_stdout(sys.stderr):  # the trainers print their logs
            return check_dataset(
                options["path"],
                format=options["format"],
                seconds=options["seconds"],
                seed=options["seed"],
                train=not options["no_training"],
                steps=options["steps"],
            )

    def text(self, report: dict[str, Any]) -> str:
        return json.dumps(report, indent=2)

    def conclude(self, report: dict[str, Any]) -> None:
        stuck = [name for name, held in (report["training"] or {}).items() if not held["moved"]]
        if stuck:
            raise CommandError(f"No weight moved in a step of {', '.join(stuck)}.")
