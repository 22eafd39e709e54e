"""Writes to accounts."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import Token, User
from web.problems import Invalid, NotFound

DEMO_ADMIN = "admin@demo.local"
DEMO_PASSWORD = "demo"


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


def command_line_owner() -> User:
    """Who owns what the command line makes: the demo's admin (made in the demo), else the first superuser.

    Raises `NotFound` with the command that makes one.
    """
    admin = User.objects.by_email(DEMO_ADMIN)
    if admin is None and settings.DEMO and settings.EMBEDDED:
        admin = User.objects.create_superuser(DEMO_ADMIN, DEMO_PASSWORD, name="Demo admin")
    owner = admin or User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if owner is None:
        raise NotFound("There is no superuser to own the project: make one with `manage.py createsuperuser`.")
    return owner
