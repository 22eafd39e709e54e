"""Paging: cursors for the API, numbered pages for people."""

from django.http import HttpRequest

from web.problems import Invalid

PAGE = 500
PAGE_MAX = 5000


def cursor(request: HttpRequest) -> tuple[int, int]:
    """`(after, limit)` of a cursor-paged listing by id. Raises `Invalid`."""
    return whole(request, "after", 0), min(whole(request, "limit", PAGE) or PAGE, PAGE_MAX)


def whole(request: HttpRequest, name: str, default: int) -> int:
    """The query's whole number `name`, not negative. Raises `Invalid`."""
    text = request.GET.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid(f"{name} must be a whole number, not {text!r}.", parameter=name)
    return int(text)
