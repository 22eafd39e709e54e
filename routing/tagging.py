"""Tags of a project's prompts: asked of a judge, and read beside the rest of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from judges.specs import find_judge
from judges.tagging import read_tags, tag_texts
from ledger.models import Instance, Project
from routing.table import Floats
from routing.texts import text_of

TAGGER = "smollm2"


def tagger_of(project: Project) -> str:
    """The judge whose tags count: the project's setting `tagger`, else the small model that ships."""
    return str(project.settings.get("tagger", TAGGER))


def tags_of(project: Project, prompts: Sequence[str]) -> Floats | None:
    """The stored tags of these prompts (P, 63), NaN where one has none; None where none has any."""
    found = read_tags(prompts, find_judge(project, tagger_of(project)))
    return None if np.isnan(found).all() else found


def prompts_of(project: Project) -> list[str]:
    """The project's distinct prompts, in order of their arrival."""
    rows = Instance.objects.of(project).order_by("pk").values_list("prompt", flat=True)
    return list(dict.fromkeys(text_of(prompt) for prompt in rows.iterator()))


def tag_project(
    project: Project,
    *,
    judge: str | None = None,
    limit: int | None = None,
    tell: Callable[[int], None] | None = None,
) -> int:
    """Tags the project's first `limit` prompts that have no tags yet; how many. Raises `UnknownName`, `CannotTag`.

    Loads a model, so it runs in judge workers and commands.
    """
    spec = find_judge(project, judge or tagger_of(project))
    texts = prompts_of(project)
    missing = [text for text, row in zip(texts, read_tags(texts, spec), strict=True) if np.isnan(row).any()]
    return tag_texts(missing[:limit], spec, tell=tell)
