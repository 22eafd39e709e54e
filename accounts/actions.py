"""Writes to accounts."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Token, User
from web.problems import Invalid, NotFound


def ensure_user(email: str, *, name: str = "") -> User:
    """The user with this address, made without a usable password where there is none. Raises `Invalid`."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise Invalid(f"{email!r} is not an e-mail address.", email=email) from error
    return User.objects.by_email(email) or User.objects.create_user(email, name=name)


def issue_token(email: str, *, name: str = "") -> str:
    """The secret of a new token for the user with this address. Raises `NotFound`."""
    user = User.objects.by_email(email)
    if user is None:
        raise NotFound(f"There is no user with the address {email!r}.", email=email)
    return Token.issue(user, name=name)[1]
