from argparse import ArgumentParser
from typing import Any

from exports.options import VersionedCommand
from exports.traces import trace


class Command(VersionedCommand):
    help = "Trace an exported row to the labels behind it."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("row", metavar="ROW_ID", help="the row's column `row`")
        parser.add_argument("--version", default="", metavar="NAME", help="as of this snapshot; default: now")

    def run(self, **options: Any) -> dict[str, Any]:
        return trace(options["row"], version=options["version"])

    def text(self, report: dict[str, Any]) -> str:
        held, sent = report["preference"], report["decision"]
        lines = [f"{report['instance']}, {report['aspect']}"]
        if held:
            lines[0] += f": {held['outcome']}, response {held['chosen']} over {held['rejected']} "
            lines[0] += f"(margin {held['margin']}, agreement {held['agreement']})"
            lines.append(f"settled by {held['source']}, {held['method']}, settlement {held['since']}")
        if sent:
            lines.append(f"sent to {sent['way']} by {sent['policy']}: {sent['reason']}")
        for label in report["labels"]:
            said = f"  label {label['id']}: {label['kind']} {label['rater']} said {label['value']}"
            lines.append(said + (f", shown {label['order']}" if label["order"] else ""))
        return "\n".join(lines)
