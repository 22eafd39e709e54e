from typing import Any

from accounts.actions import DEMO_ADMIN, DEMO_PASSWORD
from ledger.demo import ANNOTATORS, load_demo
from web.commands import ReportCommand


class Command(ReportCommand):
    help = "Load the demo's accounts and projects (embedded mode only); a second time changes nothing."

    def run(self, **options: Any) -> dict[str, Any]:
        projects = load_demo()
        return {
            "projects": {project.slug: project.instances.count() for project in projects},
            "accounts": [DEMO_ADMIN, *ANNOTATORS],
        }

    def text(self, report: dict[str, Any]) -> str:
        projects = ", ".join(f"{slug} ({count} instances)" for slug, count in report["projects"].items())
        accounts = ", ".join(report["accounts"])
        return f"The demo is loaded: {projects}. Accounts, password “{DEMO_PASSWORD}”: {accounts}."
