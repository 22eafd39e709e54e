"""A file over HTTP with ETag and Range (RFC 9110, sections 13 and 14), so that a broken download goes on."""

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from exports.problems import RangeOutside
from web.middleware import PROBLEM_JSON

BLOCK = 256 * 1024
ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def ranged(request: HttpRequest, path: Path, *, tag: str, content_type: str, name: str) -> HttpResponseBase:
    """The file or the part of it that is asked for: 200, 206, 304 or 416. Several ranges get the whole file."""
    etag, size = f'"{tag}"', path.stat().st_size
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        return HttpResponseNotModified(headers={"ETag": etag})
    wanted = request.headers.get("Range")
    if request.headers.get("If-Range", etag) != etag:
        wanted = None  # the caller's part is of other bytes: it gets them all
    part = span(wanted, size) if wanted else (0, size)
    if part is None:
        problem = RangeOutside(f"The file has {size:,} bytes; {wanted!r} lies beyond them.", size=size)
        where = {"Content-Range": f"bytes */{size}", "ETag": etag}
        return HttpResponse(
            orjson.dumps(problem.document()), status=416, content_type=PROBLEM_JSON, headers=where
        )
    start, end = part
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    partial = (start, end) != (0, size)
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return StreamingHttpResponse(
        blocks(path, start, end),
        status=206 if partial else 200,
        content_type=content_type,
        headers=headers,
    )


def span(header: str, size: int) -> tuple[int, int] | None:
    """[start, end) of a single byte range; the whole for what is no such range; None where it lies outside.

    >>> span("bytes=2-4", 10), span("bytes=-3", 10), span("bytes=7-", 10), span("bytes=10-", 10)
    ((2, 5), (7, 10), (7, 10), None)
    """
    match = ONE_RANGE.fullmatch(header.strip())
    if match is None or match[0] == "bytes=-":
        return 0, size
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
    return (start, end) if start < end else None


def blocks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0 and (block := file.read(min(BLOCK, left))):
            left -= len(block)
            yield block
