from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
from django.core.management.base import CommandError

from ledger.access import find_project
from routing.mixes import full_reward_models
from routing.planning import check_share
from routing.plots import write_report
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
        parser.add_argument(
            "--report",
            metavar="DIR",
            help="look deeper (a probe reward model, the HyPERs' predictors) and write report.json and pictures there",
        )

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
            deep=options["report"] is not None,
        )
        project = find_project(options["project"])
        with lines_to(options["decisions"]) as sink, full_reward_models():
            report = rehearse(project, wanted, sink)
        if options["report"] is not None:
            self.draw(report, Path(options["report"]))
        return report

    def draw(self, report: dict[str, Any], folder: Path) -> None:
        try:
            files = write_report(report, folder)
        except OSError as error:
            raise CommandError(f"The report cannot be written to {folder}: {error.strerror}.") from error
        self.out.write(f"{folder}: {', '.join(files)}")

    def text(self, report: dict[str, Any]) -> str:
        rows = [f"{report['aspect']}, {report['judge']}, {report['n']} instances"]
        for name, found in report["policies"].items():
            curve = "  ".join(f"{point['budget']:g}: {point['mean']:.3f}" for point in found["curve"])
            rows.append(f"{name:12} area {found['area']:.4f}   {curve}")
            rows.append(f"{'':12} {shown(report['findings'][name])}".rstrip())
        return "\n".join(rows)


def shown(found: dict[str, Any]) -> str:
    """What a replay found of a policy beyond its curve, in a line."""
    parts = [f"asked up to {max(found['asked']):.0%}"]
    if "regret" in found:
        parts.append(f"regret to the oracle {found['regret']['mean']:.4f}")
    if found.get("enough", {}).get("mean") is not None:
        parts.append(f"95% of the oracle at {found['enough']['mean']:.0%}")
    if found.get("differs", {}).get("n"):
        parts.append(f"P(differs): ECE {found['differs']['ece']:.3f}, Brier {found['differs']['brier']:.3f}")
    if "predictor" in found:
        parts.append(f"predictor's Spearman on new mixes {found['predictor']['spearman']:+.2f}")
    if "promise" in found:
        promise = found["promise"]
        parts.append(f"{promise['made']} promises of {promise['target']:g}, {promise['broken']} broken")
    if "probe" in found:
        parts.append(f"probe {found['probe'][0]['mean']:.3f} to {found['probe'][-1]['mean']:.3f}")
    return ", ".join(parts)


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
