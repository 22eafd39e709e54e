"""Statistics that cost much, kept until the ledger moves on.

The ledger only grows, so the highest label id of a project (its *watermark*) says whether anything
derived from its labels can have changed.
"""

import time
from collections.abc import Callable
from typing import Any

from django.core.cache import cache

from ledger.models import Label, Project
from web.release import release

KEPT_SECONDS = 24 * 3600
CHEAP = 0.1  # seconds; what costs less is computed anew at every label
PATIENCE = 20  # a stale answer stands for so many times as long as it took to compute


def watermark(project: Project) -> int:
    """The project's highest label id; 0 without labels."""
    newest = Label.objects.filter(project=project).order_by("-id").values_list("id", flat=True)[:1]
    return next(iter(newest), 0)


def remembered(
    project: Project,
    name: str,
    mark: str,
    compute: Callable[[], Any],
    *,
    clock: Callable[[], float] = time.time,
) -> Any:
    """`compute()`, or what it gave while `mark` is the same.

    While labels stream in (a judge at work) a stale answer stands for PATIENCE times what it cost, so
    that the page never spends more than a small share of its time on recomputing.
    """
    key = f"dashboard:{release()}:{project.pk}:{name}"
    found = cache.get(key)
    if found is not None and (found["mark"] == mark or clock() < found["stands_until"]):
        return found["value"]
    began = clock()
    value = compute()
    ended = clock()
    cost = ended - began
    stands = ended + PATIENCE * cost if cost > CHEAP else began
    kept = {"mark": mark, "value": value, "stands_until": stands}
    cache.set(key, kept, KEPT_SECONDS)
    return value
