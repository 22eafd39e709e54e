"""A small labelled project, made as an admin makes one: by the commands."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import orjson
from django.core.management import call_command

from ledger.models import Project

TEXTS = ("short", "a somewhat longer answer with more words in it")


def rows(
    count: int, *, people: int = 0, judged: int | None = None, judges: tuple[str, ...] = ("alpha",)
) -> list[dict]:
    """Pairwise instances: the judge prefers the longer response; people agree on two of three."""
    return [
        {
            "id": f"q{n:03}",
            "prompt": f"Question {n // 3}",
            "responses": [
                {"id": "r1", "model": "small", "text": f"{TEXTS[0]} {n}"},
                {"id": "r2", "model": "large", "text": f"{TEXTS[1]} {n}"},
            ],
            "human": [
                {
                    "annotator": f"p{p}",
                    "kind": "expert",
                    "task": "pairwise",
                    "aspect": "overall",
                    "value": -1 if n % 3 == 0 else 1,
                }
                for p in range(people)
            ],
            "ai": [
                {"judge": judge, "task": "pairwise", "aspect": "overall", "value": 1}
                for judge in judges
                if judged is None or n < judged
            ],
            "meta": {},
        }
        for n in range(count)
    ]


def make_project(tmp_path: Path, slug: str, found: list[dict[str, Any]], **options: Any) -> Project:
    """A project with these instances imported."""
    path = tmp_path / f"{slug}.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in found), encoding="utf-8")
    call_command("create_project", slug, template="blank", stdout=StringIO(), **options)
    call_command("import_instances", slug, str(path), stdout=StringIO())
    return Project.objects.get(slug=slug)


def report(*arguments: str) -> dict[str, Any]:
    """What a command writes to `--json -`, with nothing else printed."""
    out = StringIO()
    call_command(*arguments, "--json", "-", stdout=out)
    return orjson.loads(out.getvalue())
