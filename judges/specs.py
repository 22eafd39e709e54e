"""Judges by name: a project's own first, then those that ship."""

from __future__ import annotations

from judges.catalog import CATALOG, JudgeSpec
from ledger.models import Project
from web.registry import unknown


def find_judge(project: Project, name: str) -> JudgeSpec:
    """The judge of this name in the project. Raises `UnknownName` with the nearest names."""
    if name not in CATALOG:
        raise unknown("judge", name, judge_names(project))
    return CATALOG[name]


def judge_names(project: Project) -> list[str]:
    """Every name that `find_judge` knows for the project."""
    return list(CATALOG)
