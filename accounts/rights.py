"""The one place where rights are checked: a role's rights, and who may do what.

A role is held in a project (`ledger.models.Member`); superusers have every right everywhere.
"""

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from web.problems import NotAllowed, SignInNeeded


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    REVIEWER = "reviewer", "Reviewer"
    ANNOTATOR = "annotator", "Annotator"


class Right(models.TextChoices):
    SEE = "see", "see that the project exists"
    LABEL = "label", "label instances"
    REVIEW = "review", "see labels and adjudicate"
    MANAGE = "manage", "set up, import, judge, route, invite"
    EXPORT = "export", "export and snapshot"
    OWN = "own", "archive and hand over"


ROLE_RIGHTS: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(Right),
    Role.ADMIN: frozenset(Right) - {Right.OWN},
    Role.REVIEWER: frozenset({Right.SEE, Right.LABEL, Right.REVIEW}),
    Role.ANNOTATOR: frozenset({Right.SEE, Right.LABEL}),
}


def allowed(user: User, role: str | None, right: Right) -> bool:
    """Whether `user`, holding `role` (None: no member), has `right`."""
    return user.is_superuser or (role is not None and right in ROLE_RIGHTS[role])


def require(user: User, role: str | None, right: Right, *, where: str) -> None:
    """Raises `NotAllowed` unless `user` has `right` in the project named by `where`."""
    if not allowed(user, role, right):
        raise NotAllowed(f"You may not {right.label} in {where}.", right=right.value)


def signed_in(user: User | AnonymousUser) -> User:
    """The signed-in user; raises `SignInNeeded`."""
    if not isinstance(user, User) or not user.is_active:
        raise SignInNeeded("Sign in, or send a valid bearer token.")
    return user
