"""Projects made of a few rows, through the same import and settling that production uses."""

import io
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from accounts.models import User
from exports.actions import write_export
from exports.choices import parse_choices
from exports.datasets import open_live
from ledger.actions import create_project
from ledger.imports.load import import_stream
from ledger.models import Project

NUMBERS = count(1)


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_superuser("owner@lab.org", "secret")


@pytest.fixture
def project_of(owner: User) -> Callable[[Iterable[dict[str, Any]]], Project]:
    """`project_of(rows)` is a new project with these rows of the schema `switchyard` in it."""

    def make(rows: Iterable[dict[str, Any]], *, slug: str = "", template: str = "blank") -> Project:
        project = create_project(slug=slug or f"p{next(NUMBERS)}", template=template, owner=owner)
        report = import_stream(project, io.BytesIO(b"\n".join(map(orjson.dumps, rows))))
        assert not report.errors, report.errors
        return project

    return make


@pytest.fixture
def export_rows(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """`export_rows(project, format, **choices)` is the live export, read back from JSON Lines."""

    def export(project: Project, format: str, **choices: Any) -> list[dict[str, Any]]:
        path = tmp_path / f"{project.slug}-{format}.jsonl"
        write_export(open_live(project, parse_choices(choices)), format=format, container="jsonl", path=path)
        return [orjson.loads(line) for line in path.read_bytes().splitlines()]

    return export
