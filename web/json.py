"""JSON in and out, through orjson."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from web.problems import Invalid

NDJSON = "application/x-ndjson"


def json_response(data: Any, *, status: int = 200, content_type: str = "application/json") -> HttpResponse:
    return HttpResponse(orjson.dumps(data), status=status, content_type=content_type)


def read_json(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object; an empty body is an empty object. Raises `Invalid`."""
    if not request.body:
        return {}
    try:
        data = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The body is not JSON: {error}.") from error
    if not isinstance(data, dict):
        raise Invalid("The body must be a JSON object.")
    return data
