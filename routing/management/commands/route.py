from argparse import ArgumentParser
from typing import Any

from judges.standing import standing
from ledger.access import find_project
from ledger.models import Project
from quality.panels import Standing
from routing.actions import new_seed, route
from routing.loading import find_aspect, find_judge
from routing.mixes import full_reward_models
from routing.planning import AUDIT, CONFIDENCE, Request, plan
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Decide which instances go to people under a budget or a target, and open them for work."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--policy", required=True)
        ask = parser.add_mutually_exclusive_group(required=True)
        ask.add_argument("--budget", type=float, metavar="FRACTION", help="of all instances, 0…1")
        ask.add_argument("--target-agreement", type=float, metavar="X", help="to be promised, 0…1")
        parser.add_argument("--confidence", type=float, default=CONFIDENCE)
        parser.add_argument("--judge", metavar="NAME", help="whose verdict stands where nobody is asked")
        parser.add_argument("--aspect", metavar="NAME")
        parser.add_argument("--seed", type=int, help="default: drawn, and logged with the route")
        parser.add_argument(
            "--audit", type=float, default=AUDIT, help="share of the new work that is drawn by lot"
        )
        parser.add_argument("--dry-run", action="store_true", help="report and change nothing")

    def run(self, **options: Any) -> dict[str, Any]:
        project = find_project(options["project"])
        request = Request(
            policy=options["policy"],
            seed=new_seed() if options["seed"] is None else options["seed"],
            budget=options["budget"],
            target=options["target_agreement"],
            confidence=options["confidence"],
            judge=options["judge"],
            aspect=options["aspect"],
            audit=options["audit"],
        )
        self.say_what_stands(project, request)
        with full_reward_models():
            planned = plan(project, request) if options["dry_run"] else route(project, request)[1]
        return planned.report()

    def say_what_stands(self, project: Project, request: Request) -> None:
        """A word on standard error, before anything is done, where the judge is worse than no judge."""
        aspect = find_aspect(project, request.aspect)
        judge = find_judge(aspect, request.judge).name
        if standing(aspect, judge) == Standing.BELOW:
            self.stderr.write(
                f"{judge} agrees with people less than taking the longer response would: its label would stand "
                "wherever nobody is asked."
            )
