"""The site's WSGI application, saying in a header how long it took: what `bench/next_scale.py` serves."""

import time
from collections.abc import Iterable
from typing import Any

from config.wsgi import application as site


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers as the site does, with `Server-Timing` in milliseconds from the first byte read to the last written."""
    began = time.perf_counter()

    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        took = 1000 * (time.perf_counter() - began)
        return start_response(status, [*headers, ("Server-Timing", f"app;dur={took:.3f}")], *more)

    return site(environ, start)
