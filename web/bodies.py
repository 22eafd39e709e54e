"""Request bodies as streams."""

import gzip
import io
from typing import Any, BinaryIO, cast

from django.http import HttpRequest


class RawBody(io.RawIOBase):
    """A request's body behind `read` alone: a server's own `readline` may stop at a chunk's end (granian's does)."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.request.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def body_stream(request: HttpRequest) -> BinaryIO:
    """The body to be read once and never held whole; unpacked where its Content-Encoding is gzip."""
    stream = io.BufferedReader(RawBody(request), buffer_size=1 << 18)
    if request.headers.get("Content-Encoding") == "gzip":
        return cast(BinaryIO, io.BufferedReader(gzip.GzipFile(fileobj=stream)))
    return cast(BinaryIO, stream)
