"""From a slug to a project, with the caller's right checked: the door that views and the API go through."""

from dataclasses import dataclass
from typing import NoReturn

from accounts.models import User
from accounts.rights import Right, require
from ledger.models import Member, Project
from web.problems import Conflict, NotAllowed, NotFound
from web.registry import unknown


class MemberPaused(NotAllowed):
    code, title = "member-paused", "Your work in this project is paused"


class ProjectArchived(Conflict):
    code, title = "project-archived", "The project is archived"


@dataclass(frozen=True)
class Place:
    """A user in a project."""

    project: Project
    user: User
    member: Member | None

    @property
    def role(self) -> str | None:
        return self.member.role if self.member else None


def enter(user: User, slug: str, right: Right) -> Place:
    """The user's place in the project `slug`, if they have `right` there.

    Raises `NotFound` where there is no such project for this user (so that nobody learns of others'
    projects), `NotAllowed` where the right is missing or the membership is paused, `ProjectArchived` where
    somebody would label in a project that was put away.
    """
    member = Member.objects.select_related("project").filter(project__slug=slug, user=user).first()
    if member is None or member.status == Member.Status.REMOVED:
        return enter_as_superuser(user, slug, right)
    if member.status == Member.Status.PAUSED and right == Right.LABEL:
        refuse_paused(slug, member.reason)
    require(user, member.role, right, where=slug)
    require_open(member.project, right)
    return Place(member.project, user, member)


def refuse_paused(slug: str, reason: str) -> NoReturn:
    raise MemberPaused(reason or "An admin paused your work in this project.", project=slug)


def no_such_project(slug: str) -> NotFound:
    return NotFound(f"There is no project {slug!r}.", project=slug)


def require_open(project: Project, right: Right = Right.LABEL) -> None:
    """Raises `ProjectArchived` where the project is archived and `right` is to label; all else stays possible."""
    if project.archived and right == Right.LABEL:
        raise ProjectArchived(f"{project.name} is archived: nobody is given work.", project=project.slug)


def enter_as_superuser(user: User, slug: str, right: Right) -> Place:
    project = Project.objects.filter(slug=slug).first() if user.is_superuser else None
    if project is None:
        raise no_such_project(slug)
    require_open(project, right)
    return Place(project, user, None)


def find_project(slug: str) -> Project:
    """The project called `slug`, for commands; raises `NotFound` with the nearest slugs."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise unknown("project", slug, list(Project.objects.values_list("slug", flat=True)[:5000]))
    return project
