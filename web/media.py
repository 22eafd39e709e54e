"""Pictures, sound and film: known by their bytes, never by their name, and sent so that no browser runs them.

What cannot be recognised is refused, so nothing that a browser could take for a page (HTML, SVG, PDF) is
ever kept. Names are the content's hash.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from web.problems import Invalid, NotFound, TooLarge

PIECE = 256 * 1024  # bytes read or sent at a time
LIMIT = 512 * 1024**2  # bytes of one file
NAME = re.compile(r"[0-9a-f]{32}\.(png|jpg|gif|webp|mp4|webm|mp3|ogg|wav|flac)")
TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
}
# How each begins: RFC 2083, JFIF, GIF89a, RFC 9649, ISO 14496-12, RFC 9559, ID3v2 or ISO 11172-3, RFC 3533,
# RIFF, RFC 9639.
BEGINNINGS = {
    "png": rb"\x89PNG\r\n\x1a\n",
    "jpg": rb"\xff\xd8\xff",
    "gif": rb"GIF8[79]a",
    "webp": rb"RIFF....WEBP",
    "mp4": rb"....ftyp",
    "webm": rb"\x1a\x45\xdf\xa3",
    "mp3": rb"ID3|\xff[\xe2\xe3\xf2\xf3\xfa\xfb]",
    "ogg": rb"OggS",
    "wav": rb"RIFF....WAVE",
    "flac": rb"fLaC",
}


class NotMedia(Invalid):
    code, title = "not-media", "The file is no picture, sound or film that Switchyard knows"


@dataclass(frozen=True)
class Kept:
    """A file that was kept: its name, its content type, its size in bytes."""

    name: str
    content_type: str
    size: int


def recognise(head: bytes) -> str:
    """The extension for what these first bytes begin. Raises `NotMedia`."""
    for extension, beginning in BEGINNINGS.items():
        if re.match(beginning, head, re.DOTALL):
            return extension
    raise NotMedia(f"The file begins with {head[:8]!r}, which is none of {', '.join(TYPES)}.")


def keep(stream: BinaryIO, folder: Path) -> Kept:
    """Keeps a file under its hash; the same file again is the same name. Raises `NotMedia`, `TooLarge`."""
    head = stream.read(PIECE)
    extension = recognise(head)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".{hashlib.sha256(head).hexdigest()}.part"
    try:
        digest, size = write_hashed(head, stream, partial)
        name = f"{digest[:32]}.{extension}"
        partial.replace(folder / name)
    finally:
        partial.unlink(missing_ok=True)
    return Kept(name, TYPES[extension], size)


def write_hashed(head: bytes, stream: BinaryIO, path: Path) -> tuple[str, int]:
    """`(hash, bytes)` of what was written. Raises `TooLarge`."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        piece = head
        while piece:
            size += len(piece)
            if size > LIMIT:
                raise TooLarge(f"A file may have at most {LIMIT:,} bytes.")
            digest.update(piece)
            file.write(piece)
            piece = stream.read(PIECE)
    return digest.hexdigest(), size


# ---------------------------------------------------------------- sending


def send(request: HttpRequest, path: Path) -> HttpResponseBase:
    """The file, or the one range of it that was asked for (RFC 9110, 14), under headers that make it inert."""
    if not NAME.fullmatch(path.name) or not path.is_file():
        raise NotFound(f"There is no media file {path.name!r}.")
    size = path.stat().st_size
    start, end = asked_range(request.headers.get("Range", ""), size)
    if start >= size:
        return inert(HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}), path)
    partial = (start, end) != (0, size)
    response = StreamingHttpResponse(pieces(path, start, end), status=206 if partial else 200)
    response["Content-Length"] = end - start
    if partial:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return inert(response, path)


def asked_range(header: str, size: int) -> tuple[int, int]:
    """`(start, end)`, the end not included; the whole file where the header is missing or makes no sense."""
    found = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", header.strip())
    if not found or not (found[1] or found[2]):
        return 0, size
    if not found[1]:
        return max(0, size - int(found[2])), size
    end = min(size, int(found[2]) + 1) if found[2] else size
    return (int(found[1]), end) if int(found[1]) < end or int(found[1]) >= size else (0, size)


def pieces(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        left = end - start
        while left > 0:
            piece = file.read(min(PIECE, left))
            if not piece:
                return
            left -= len(piece)
            yield piece


def inert(response: HttpResponseBase, path: Path) -> HttpResponseBase:
    response["Content-Type"] = TYPES[path.suffix[1:]]
    response["Accept-Ranges"] = "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    return response
