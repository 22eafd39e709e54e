"""Fragments: the one place that decides whether a page or a part of it is the answer."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

DECIDES = ("HX-Request", "HX-Boosted", "HX-History-Restore-Request")


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked for a part: not for a boosted navigation, nor to restore history."""
    headers = request.headers
    asked = headers.get("HX-Request") == "true"
    return asked and "HX-Boosted" not in headers and "HX-History-Restore-Request" not in headers


def render_fragment(
    request: HttpRequest,
    page: str,
    context: dict[str, Any],
    *,
    fragment: str,
    status: int = 200,
) -> HttpResponse:
    """`fragment` for htmx, else `page` (which includes it); varies on the headers that decided."""
    template = fragment if wants_fragment(request) else page
    response = render(request, template, context, status=status)
    patch_vary_headers(response, DECIDES)
    return response
