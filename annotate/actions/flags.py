"""Flags: something is wrong with an instance; whoever reviews looks into it."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from annotate.actions.work import skip_assignment
from annotate.models import Flag
from ledger.models import Project
from web.problems import NotFound


def flag_assignment(*, assignment_id: int, user_id: int, reason: str, at: datetime | None = None) -> Flag:
    """Skips, and tells the project's reviewers why. Raises what `skip_assignment` raises."""
    at = at or timezone.now()
    with transaction.atomic():
        skipped = skip_assignment(
            assignment_id=assignment_id, user_id=user_id, reason=f"{Flag.PREFIX}{reason}", at=at
        )
        return Flag.objects.create(assignment=skipped, project_id=skipped.project_id, created=at)


def resolve_flag(
    project: Project, flag_id: int, *, by: User, note: str = "", at: datetime | None = None
) -> Flag:
    """The flag, looked into. Twice equals once: the first word stands. Raises `NotFound`."""
    at = at or timezone.now()
    mine = Flag.objects.filter(project=project, pk=flag_id)
    mine.open().update(resolved=at, resolved_by=by, note=note.strip()[:500])
    found = mine.first()
    if found is None:
        raise NotFound(f"{project.slug} has no flag {flag_id}.", flag=flag_id)
    return found
