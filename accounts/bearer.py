"""Who calls the API: a bearer token, or the browser's session."""

from django.http import HttpRequest

from accounts.models import Token, User
from accounts.rights import signed_in
from web.problems import SignInNeeded

SCHEME = "Bearer "


def has_bearer(request: HttpRequest) -> bool:
    return request.META.get("HTTP_AUTHORIZATION", "").startswith(SCHEME)


def caller(request: HttpRequest) -> User:
    """The user behind the bearer token, else the session's. Raises `SignInNeeded`."""
    if not has_bearer(request):
        return signed_in(request.user)
    secret = request.META["HTTP_AUTHORIZATION"][len(SCHEME) :].strip()
    token = Token.objects.select_related("user").filter(digest=Token.digest_of(secret)).first()
    if token is None or not token.user.is_active:
        raise SignInNeeded("The bearer token is not valid.")
    return token.user
