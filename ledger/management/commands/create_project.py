from argparse import ArgumentParser
from typing import Any

from accounts.actions import command_line_owner
from ledger.actions import create_project
from ledger.templates import TEMPLATES
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Make a project from a template; admin@demo.local, else the first superuser, owns it."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("--template", required=True, help=f"one of {', '.join(TEMPLATES)}")
        parser.add_argument("--name", default="", help="what people read; the slug where it is left out")
        parser.add_argument("--overlap", type=int, default=1, help="how many people label an instance")

    def run(self, **options: Any) -> dict[str, Any]:
        project = create_project(
            slug=options["slug"],
            template=options["template"],
            owner=command_line_owner(),
            name=options["name"],
            overlap=options["overlap"],
        )
        return {
            "project": project.slug,
            "name": project.name,
            "template": project.template,
            "overlap": project.overlap,
            "aspects": [aspect.name for aspect in project.aspects.all()],
        }

    def text(self, report: dict[str, Any]) -> str:
        aspects = ", ".join(report["aspects"]) or "none yet"
        return f"Made the project {report['project']} (overlap {report['overlap']}, aspects: {aspects})."
