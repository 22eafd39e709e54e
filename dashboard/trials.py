"""A judge's trial: asked for on a page, carried out by a judge worker, kept for a while."""

from typing import Any

from django.core.cache import cache

from dashboard.words import extras_in_words, in_words
from judges.trying import try_judge
from ledger.models import Project
from web.problems import Problem

KEPT_SECONDS = 3600
INSTANCES = 5
WAITING: dict[str, Any] = {"waiting": True}


def key_of(project: Project, judge: str) -> str:
    return f"dashboard:trial:{project.pk}:{judge}"


def run_trial(project: Project, judge: str) -> None:
    """Asks the judge about a few instances and keeps what it was asked, what it said, and what that means."""
    try:
        report = try_judge(project=project, judge=judge, n=INSTANCES)
    except Problem as problem:
        report = {"refused": problem.detail}
    else:
        add_words(project, report)
    cache.set(key_of(project, judge), report, KEPT_SECONDS)


def add_words(project: Project, report: dict[str, Any]) -> None:
    """Every verdict of the trial in words, too."""
    aspects = {aspect.name: aspect for aspect in project.aspects.all()}
    for trial in report["trials"]:
        for said in trial["verdicts"]:
            for verdict in said["verdicts"]:
                words = in_words(aspects[said["aspect"]], verdict["value"])
                verdict["words"] = ", ".join(filter(None, [words, extras_in_words(verdict["value"])]))
                verdict["shown"] = ", ".join(str(index + 1) for index in verdict["order"])
