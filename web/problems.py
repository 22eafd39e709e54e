"""Refusals: one exception class each, with the facts, its HTTP status and its RFC 9457 problem document.

Raise one anywhere; `web.middleware` renders it for API callers (`application/problem+json`) and
for pages, and `web.commands.ReportCommand` prints it for the command line.
"""

from typing import Any, ClassVar


class Problem(Exception):
    """A refusal that names its cause. Subclasses set `status`, `code` and `title`."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "bad-request"
    title: ClassVar[str] = "The request cannot be carried out"

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts

    def __str__(self) -> str:
        return self.detail

    def document(self) -> dict[str, Any]:
        """The RFC 9457 problem document."""
        return {
            "type": f"urn:switchyard:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.facts,
        }


class NotFound(Problem):
    status, code, title = 404, "not-found", "Not found"


class NotAllowed(Problem):
    status, code, title = 403, "not-allowed", "Not allowed"


class SignInNeeded(Problem):
    status, code, title = 401, "sign-in-needed", "Sign in, or send a valid bearer token"


class Conflict(Problem):
    status, code, title = 409, "conflict", "The state has changed"


class Invalid(Problem):
    status, code, title = 422, "invalid", "The input is not valid"


class TooLarge(Problem):
    status, code, title = 413, "too-large", "The body is too large"


class TooMany(Problem):
    status, code, title = 429, "too-many-requests", "Too many requests"


class Unready(Problem):
    status, code, title = 503, "unready", "A service is not ready"


class UnknownName(Problem):
    """A name that no registry entry or row carries, with the nearest ones."""

    status, code, title = 404, "unknown-name", "Unknown name"
