"""Who calls the API: a bearer token, or the browser's session."""

from django.http import HttpRequest

from accounts.models import Token, User
from accounts.rights import signed_in
from web.problems import SignInNeeded
from web.sql import prepared

SCHEME = "Bearer "

OWNER = """
    SELECT u.id, u.email, u.name, u.is_superuser FROM accounts_token t JOIN accounts_user u ON u.id = t.user_id
    WHERE t.digest = %(digest)s AND u.is_active
"""


def bearer_digest(request: HttpRequest) -> str | None:
    """The digest of the request's bearer token, where it carries one."""
    header = request.META.get("HTTP_AUTHORIZATION", "")
    return Token.digest_of(header[len(SCHEME) :].strip()) if header.startswith(SCHEME) else None


def caller(request: HttpRequest) -> User:
    """The user behind the bearer token, else the session's. Raises `SignInNeeded`."""
    digest = bearer_digest(request)
    if digest is None:
        return signed_in(request.user)
    rows = prepared(OWNER, {"digest": digest})
    if not rows:
        raise SignInNeeded("The bearer token is not valid.")
    return known_user(*rows[0])


def known_user(pk: int, email: str, name: str, is_superuser: bool) -> User:
    """A user from a row that was read already."""
    user = User(pk=pk, email=email, name=name, is_superuser=is_superuser)
    user._state.adding = False
    return user
