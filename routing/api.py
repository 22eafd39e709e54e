"""Routing over HTTP: how far a project is."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.api import api
from accounts.models import User
from accounts.rights import Right
from ledger.access import enter
from routing.progress import progress_of
from web.json import json_response


@api("GET")
def progress(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """How far the project is, in counts."""
    return json_response(progress_of(enter(user, slug, Right.SEE).project))
