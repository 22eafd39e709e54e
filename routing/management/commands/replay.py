from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
from django.core.management.base import CommandError

from ledger.access import find_project
from routing.planning import check_share
from routing.policies import POLICIES
from routing.problems import BadBudget
from routing.rehearsal import Rehearsal, rehearse
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Replay policies on labels that exist: agreement with held-out human gold at each budget."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--policies", required=True, help="comma-separated")
        parser.add_argument("--budgets", required=True, help="comma-separated shares of all instances, 0…1")
        parser.add_argument("--seeds", type=int, required=True)
        parser.add_argument("--aspect", metavar="NAME")
        parser.add_argument("--judge", metavar="NAME", help="whose verdict stands where nobody is asked")
        parser.add_argument("--decisions", metavar="PATH", help="write a row for each decision, JSON Lines")

    def run(self, **options: Any) -> dict[str, Any]:
        policies = list(dict.fromkeys(name.strip() for name in options["policies"].split(",")))
        for name in policies:
            POLICIES.load(name)
        wanted = Rehearsal(
            policies=policies,
            budgets=read_budgets(options["budgets"]),
            seeds=read_seeds(options["seeds"]),
            aspect=options["aspect"],
            judge=options["judge"],
        )
        project = find_project(options["project"])
        with lines_to(options["decisions"]) as sink:
            return rehearse(project, wanted, sink)

    def text(self, report: dict[str, Any]) -> str:
        rows = [f"{report['aspect']}, {report['judge']}, {report['n']} instances"]
        for name, found in report["policies"].items():
            curve = "  ".join(f"{point['budget']:g}: {point['mean']:.3f}" for point in found["curve"])
            rows.append(f"{name:12} area {found['area']:.4f}   {curve}")
        return "\n".join(rows)


def read_budgets(text: str) -> list[float]:
    """Distinct shares in rising order. Raises `BadBudget`."""
    try:
        budgets = sorted({float(part) for part in text.split(",")})
    except ValueError as error:
        raise BadBudget(f"The budgets must be numbers with commas between, not {text!r}.") from error
    for budget in budgets:
        check_share("budget", budget)
    return budgets


def read_seeds(seeds: int) -> int:
    if seeds < 1:
        raise BadBudget(f"A replay needs at least one seed, not {seeds}.", seeds=seeds)
    return seeds


@contextmanager
def lines_to(path: str | None) -> Iterator[Any]:
    """A function that writes one row as a line of JSON to `path`; None where no file is wanted."""
    if path is None:
        yield None
        return
    try:
        with Path(path).open("wb") as file:
            yield writer(file)
    except OSError as error:
        raise CommandError(f"The decisions cannot be written to {path}: {error.strerror}.") from error


def writer(file: IO[bytes]) -> Any:
    def write(row: dict[str, Any]) -> None:
        file.write(orjson.dumps(row) + b"\n")

    return write
