"""What a project asks: its aspects and guidelines, remembered by the project's revision.

A trigger raises `Project.revision` with every change of either, so whoever holds a fresh project row
never gets stale questions.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ledger.models import Aspect, GuidelineVersion, Project


@dataclass(frozen=True)
class Questions:
    """The aspects in order, and the current guidelines. Shared between requests: never to be changed."""

    aspects: tuple[Aspect, ...]
    guideline: GuidelineVersion | None

    def for_size(self, size: int) -> list[Aspect]:
        """The aspects that can be asked about an instance of `size` responses."""
        return [aspect for aspect in self.aspects if aspect.task.fits(size)]


def questions_of(project: Project) -> Questions:
    return read_questions(project.pk, project.revision)


@lru_cache(maxsize=1024)
def read_questions(project_id: int, revision: int) -> Questions:
    aspects = tuple(Aspect.objects.filter(project=project_id))
    guideline = GuidelineVersion.objects.filter(project=project_id).order_by("-number").first()
    return Questions(aspects, guideline)


def aspect_document(aspect: Aspect) -> dict[str, Any]:
    """An aspect as the API tells it."""
    return {
        "name": aspect.name,
        "title": str(aspect),
        "description": aspect.description,
        "task_type": aspect.task_type,
        "required": aspect.required,
        "settings": aspect.settings,
    }
