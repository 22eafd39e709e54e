"""The decorators of API views: one method, and the caller known."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from accounts.bearer import caller

View = Callable[..., HttpResponseBase]


def require_method(method: str) -> Callable[[View], View]:
    """Makes a view answer `method` alone."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != method:
                return HttpResponseNotAllowed([method])
            return view(request, *args, **kwargs)

        return answer

    return decorate


def api(method: str) -> Callable[[View], View]:
    """Makes `view(request, user, …)` answer `method` alone; raises `SignInNeeded` for strangers."""

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return view(request, caller(request), *args, **kwargs)

        return require_method(method)(answer)

    return decorate
