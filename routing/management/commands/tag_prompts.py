import time
from argparse import ArgumentParser
from typing import Any

from ledger.access import find_project
from routing.tagging import prompts_of, tag_project, tagger_of
from routing.tasks import tag_prompts
from web.commands import ReportCommand
from web.problems import Invalid


class Command(ReportCommand):
    help = (
        "Tag a project's prompts (subject, expertise, safety …) by a judge's model, for the HyPER policies."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--judge", metavar="NAME", help="default: the project's tagger, else smollm2")
        parser.add_argument("--limit", type=int, metavar="N", help="at most N prompts")
        parser.add_argument("--queue", action="store_true", help="leave it to a judge worker")

    def run(self, **options: Any) -> dict[str, Any]:
        project, limit = find_project(options["project"]), options["limit"]
        if limit is not None and limit < 1:
            raise Invalid(f"--limit must be at least 1, not {limit}.", limit=limit)
        judge = options["judge"] or tagger_of(project)
        report = {"judge": judge, "prompts": len(prompts_of(project))}
        if options["queue"]:
            tag_prompts.delay(project.pk, judge)
            return report | {"tagged": 0, "queued": True}
        began = time.monotonic()
        tagged = tag_project(project, judge=judge, limit=limit, tell=self.tell)
        return report | {"tagged": tagged, "seconds": round(time.monotonic() - began, 2)}

    def tell(self, done: int) -> None:
        self.stderr.write(f"{done} prompts", ending="\r")
