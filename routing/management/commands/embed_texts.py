import time
from argparse import ArgumentParser
from typing import Any

from ledger.access import find_project
from routing.embedding import ENCODER, embed_project, pairs_of, texts_of
from routing.tasks import embed_texts
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Store embeddings of a project's texts and how well its pairs match: features for routing."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("project", metavar="SLUG")
        parser.add_argument("--queue", action="store_true", help="leave it to a judge worker")

    def run(self, **options: Any) -> dict[str, Any]:
        project = find_project(options["project"])
        report = {
            "encoder": ENCODER,
            "texts": len(texts_of(project)),
            "pairs": len(pairs_of(project)),
        }
        if options["queue"]:
            embed_texts.delay(project.pk)
            return report | {"embedded": 0, "matched": 0, "queued": True}
        began = time.monotonic()
        made = embed_project(project, tell=self.tell)
        seconds = round(time.monotonic() - began, 2)
        return report | {"embedded": made.texts, "matched": made.pairs, "seconds": seconds}

    def tell(self, done: int) -> None:
        self.stderr.write(f"{done} texts", ending="\r")
