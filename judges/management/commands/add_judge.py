"""`add_judge SLUG NAME --method M --backend B`: a judge of the project's own; with --url also its endpoint."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import orjson

from judges.catalog import BackendSpec, JudgeSpec, MethodSpec
from judges.methods import METHODS
from judges.specs import add_judge, set_endpoint
from ledger.access import find_project
from web.commands import ReportCommand
from web.problems import Invalid


class Command(ReportCommand):
    help = "Add a judge of the project's own."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--method", required=True, metavar="NAME", help=", ".join(METHODS.names()))
        parser.add_argument("--parameters", default="{}", metavar="JSON", help="the method's parameters")
        parser.add_argument(
            "--backend",
            action="append",
            required=True,
            metavar="[ROLE=]NAME",
            help="what plays the role (default: judge)",
        )
        parser.add_argument(
            "--options", default="{}", metavar="JSON", help="the backends' options, such as model"
        )
        parser.add_argument("--url", help="of an OpenAI-compatible server, up to /v1")
        parser.add_argument("--key-file", type=Path, help="a file with the server's key")
        parser.add_argument("--rationale", action="store_true", help="write a rationale beside every verdict")

    def run(
        self,
        *,
        slug: str,
        name: str,
        method: str,
        parameters: str,
        backend: list[str],
        options: str,
        url: str | None,
        key_file: Path | None,
        rationale: bool,
        **rest: Any,
    ) -> dict[str, Any]:
        project = find_project(slug)
        own = parsed("--options", options)
        if url:
            set_endpoint(project=project, name=name, url=url, key=key_of(key_file))
            own["endpoint"] = name
        made = add_judge(
            project=project,
            spec=JudgeSpec(
                name=name,
                title=name,
                about=f"{method} on {', '.join(backend)}",
                methods=methods_of(method, parsed("--parameters", parameters)),
                backends=dict(role_of(one, own) for one in backend),
                rationale="judge" if rationale else "",
            ),
            author=project.owner,
        )
        return {"judge": made.name, "asks": sorted(made.spec["methods"]), "project": slug}


def methods_of(name: str, parameters: dict[str, Any]) -> dict[str, MethodSpec]:
    """The method for every task type that it can ask."""
    return dict.fromkeys(sorted(METHODS.load(name).task_types), MethodSpec(name, parameters))


def role_of(text: str, options: dict[str, Any]) -> tuple[str, BackendSpec]:
    """`ROLE=NAME` or `NAME` as a role and its backend."""
    role, _, name = text.rpartition("=")
    return role or "judge", BackendSpec(name, options)


def parsed(what: str, text: str) -> dict[str, Any]:
    """A JSON object. Raises `Invalid`."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"{what} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise Invalid(f"{what} must be a JSON object, not {text!r:.80}.")
    return value


def key_of(path: Path | None) -> str | None:
    """The key in the file, without its line end. Raises `Invalid`."""
    if path is None:
        return None
    try:
        return path.read_text().strip()
    except OSError as error:
        raise Invalid(f"The key cannot be read from {path}: {error.strerror}.") from error
