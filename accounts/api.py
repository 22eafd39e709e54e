"""The decorator of API views: one method, the caller known, CSRF only for sessions."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from accounts.bearer import caller
from accounts.models import User

ApiView = Callable[Concatenate[HttpRequest, User, ...], HttpResponseBase]


def api(method: str) -> Callable[[ApiView], Callable[..., HttpResponseBase]]:
    """Makes `view(request, user, …)` answer `method` alone; raises `SignInNeeded` for strangers."""

    def decorate(view: ApiView) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != method:
                return HttpResponseNotAllowed([method])
            return view(request, caller(request), *args, **kwargs)

        return answer

    return decorate
