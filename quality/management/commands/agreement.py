from argparse import ArgumentParser
from typing import Any

from ledger.access import find_project
from quality.reports import agreement_report
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Agreement among people, and between each judge and people, for every aspect, with 95 % intervals."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")

    def run(self, *, slug: str, **options: Any) -> dict[str, Any]:
        return agreement_report(find_project(slug))

    def text(self, report: dict[str, Any]) -> str:
        if not report["aspects"]:
            return "The project has no aspects yet."
        return "\n\n".join(aspect_text(name, aspect) for name, aspect in report["aspects"].items())


def aspect_text(name: str, aspect: dict[str, Any]) -> str:
    people = aspect["human_human"]
    lines = [
        f"{name} ({aspect['task_type']}): {people['labels']} labels by {people['people']} people",
        f"  people among themselves   {figures(people, 'raw', 'no_ties', 'alpha_nominal', 'alpha_interval')}",
        f"  one against the others    {figures(people, 'one_against_others')}",
    ]
    for judge, report in aspect["judges"].items():
        lines.append(f"  {judge}")
        lines.append(f"    with each person        {figures(report['each'], 'raw', 'no_ties')}")
        lines.append(f"    with the majority       {figures(report['majority'], 'raw', 'no_ties', 'kappa')}")
        if "averaged" in report and report["flip"]["rate"]:
            lines.append(
                f"    orders averaged         {figures(report['averaged']['majority'], 'raw', 'no_ties', 'kappa')}"
            )
        if report["flip"]["rate"] is not None:
            lines.append(f"    changes with the order  {figures(report['flip'], 'rate')}")
    return "\n".join(lines)


def figures(report: dict[str, Any], *names: str) -> str:
    """Each figure with its interval and n; a dash where it is undefined."""
    return "   ".join(f"{name} {figure(report, name)}" for name in names)


def figure(report: dict[str, Any], name: str) -> str:
    if report[name] is None:
        return "–"
    low, high = report["intervals"][name]
    interval = "" if low is None else f" ({low:.3f}…{high:.3f})"
    return f"{report[name]:.3f}{interval} n={report['counts'][name]}"
