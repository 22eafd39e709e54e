"""What a query asks for: cursors of the API's listings, whole numbers, yes or no."""

from django.http import HttpRequest

from web.problems import Invalid

PAGE = 500
PAGE_MAX = 5000
FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}


def cursor(request: HttpRequest) -> tuple[int, int]:
    """`(after, limit)` of a cursor-paged listing by id. Raises `Invalid`."""
    return whole(request, "after", 0), min(whole(request, "limit", PAGE) or PAGE, PAGE_MAX)


def whole(request: HttpRequest, name: str, default: int) -> int:
    """The query's whole number `name`, not negative. Raises `Invalid`."""
    text = request.GET.get(name, "")
    if not text:
        return default
    number = digits(text)
    if number is None:
        raise Invalid(f"{name} must be a whole number, not {text!r:.80}.", parameter=name)
    return number


def digits(text: str) -> int | None:
    """The number that plain digits spell, where it fits PostgreSQL's bigint: "²" is a digit to `str.isdigit`."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def flag(request: HttpRequest, name: str) -> bool:
    """Whether the query says yes to `name`; not, where it says nothing. Raises `Invalid`."""
    text = request.GET.get(name, "")
    if text not in FLAGS:
        raise Invalid(f"{name} must be true or false, not {text!r:.80}.", parameter=name)
    return FLAGS[text]
