"""How refusals and headers leave the house: problem documents for API callers, pages for people."""

from collections.abc import Callable

import orjson
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from web.problems import NotAllowed, NotFound, Problem, SignInNeeded

GetResponse = Callable[[HttpRequest], HttpResponseBase]

API_PREFIX = "/api/"
PROBLEM_JSON = "application/problem+json"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; media-src 'self'; style-src 'self'; script-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def as_problem(error: Exception) -> Problem | None:
    """The problem that an exception stands for, or None where it is a bug."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Http404):
        return NotFound(str(error) or "There is nothing at this address.")
    if isinstance(error, PermissionDenied):
        return NotAllowed(str(error) or "This is not yours to see.")
    return None


class ApiMiddleware:
    """Under /api/: bearer calls need no CSRF token, and Django's own error answers become problem documents."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_api = request.path_info.startswith(API_PREFIX)
        if is_api and request.META.get("HTTP_AUTHORIZATION", "").startswith("Bearer "):
            # A browser never adds a bearer token by itself, so there is no forgery to guard against;
            # accounts.bearer never falls back to the session once the header is there.
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        response = self.get_response(request)
        if is_api and response.status_code >= 400 and "json" not in response.get("Content-Type", ""):
            return self.plain(response)
        return response

    def plain(self, response: HttpResponseBase) -> HttpResponse:
        """Django's bare error answer, as a problem document of the same status."""
        title = getattr(response, "reason_phrase", "Error")
        document = {"type": "about:blank", "title": title, "status": response.status_code, "detail": title}
        answer = HttpResponse(orjson.dumps(document), status=response.status_code, content_type=PROBLEM_JSON)
        if "Allow" in response:
            answer["Allow"] = response["Allow"]
        return answer


class PageMiddleware:
    """Renders problems that views raise, and sets the content security policy on every page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponseBase | None:
        problem = as_problem(error)
        if problem is None:
            return None
        if request.path_info.startswith(API_PREFIX):
            return problem_document(problem)
        if isinstance(problem, SignInNeeded):
            return redirect_to_login(request.get_full_path())
        return problem_page(request, problem)


def problem_document(problem: Problem) -> HttpResponse:
    answer = HttpResponse(orjson.dumps(problem.document()), status=problem.status, content_type=PROBLEM_JSON)
    if isinstance(problem, SignInNeeded):
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def problem_page(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The problem as a page, or as the fragment that htmx swaps in."""
    htmx = request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers
    template = "errors/_problem.html" if htmx else "errors/problem.html"
    return render(request, template, {"problem": problem}, status=problem.status)
