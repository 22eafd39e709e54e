"""The desk: caller, project, place and rater in one query, because annotators come by all day."""

from dataclasses import dataclass
from typing import Any

import orjson
from django.http import HttpRequest

from accounts.bearer import bearer_digest, known_user
from accounts.models import User
from accounts.rights import Right, require, signed_in
from ledger.access import no_such_project, refuse_paused, require_open
from ledger.actions import person_for
from ledger.models import Member, Project
from web.problems import SignInNeeded
from web.sql import prepared

DESK = """
    SELECT u.id, u.email, u.name, u.is_superuser, p.id, p.slug, p.name, p.overlap, p.routed, p.revision,
        p.settings::text, p.archived, r.id, m.id, m.role, m.status, m.reason, m.settings::text
    FROM accounts_user u
    LEFT JOIN ledger_project p ON p.slug = %(slug)s
    LEFT JOIN ledger_member m ON m.project_id = p.id AND m.user_id = u.id
    LEFT JOIN ledger_rater r ON r.project_id = p.id AND r.user_id = u.id AND r.kind = 'person'
    WHERE u.is_active AND {who}
"""
BY_TOKEN = DESK.format(who="u.id = (SELECT user_id FROM accounts_token WHERE digest = %(digest)s)")
BY_USER = DESK.format(who="u.id = %(user)s")


@dataclass(frozen=True)
class Desk:
    """A user at work in a project."""

    user: User
    project: Project
    rater_id: int
    member: Member | None  # None: a superuser who is no member

    @property
    def role(self) -> str | None:
        return self.member.role if self.member else None


def desk_of(request: HttpRequest, slug: str) -> Desk:
    """The desk of whoever calls, by bearer token or session. Raises as `users_desk`."""
    digest = bearer_digest(request)
    if digest is None:
        return users_desk(signed_in(request.user), slug)
    rows = prepared(BY_TOKEN, {"slug": slug, "digest": digest})
    if not rows:
        raise SignInNeeded("The bearer token is not valid.")
    return open_desk(known_user(*rows[0][:4]), slug, *rows[0][4:])


def users_desk(user: User, slug: str) -> Desk:
    """The user's desk in the project. Raises `SignInNeeded`, `NotFound`, `NotAllowed`, `MemberPaused`,
    `ProjectArchived`."""
    rows = prepared(BY_USER, {"slug": slug, "user": user.pk})
    if not rows:
        raise SignInNeeded("The account has been closed.")
    return open_desk(user, slug, *rows[0][4:])


def open_desk(user: User, slug: str, *row: Any) -> Desk:
    pk, _slug, name, overlap, routed, revision, settings, archived, rater, *membership = row
    member_id, role, status, reason, own = membership
    if pk is None or (not user.is_superuser and status in (None, Member.Status.REMOVED)):
        raise no_such_project(slug)
    if status == Member.Status.PAUSED:
        refuse_paused(slug, reason)
    require(user, role, Right.LABEL, where=slug)
    project = Project(
        pk=pk,
        slug=slug,
        name=name,
        overlap=overlap,
        routed=routed,
        revision=revision,
        settings=orjson.loads(settings),
        archived=archived,
    )
    require_open(project)
    project._state.adding = False
    member = Member(pk=member_id, role=role, status=status, settings=orjson.loads(own)) if member_id else None
    return Desk(user, project, rater or person_for(user, project).pk, member)
