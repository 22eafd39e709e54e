"""Pictures of a request: where they may come from, and how they reach a model.

A project's own media (`/media/PROJECT/NAME`) and data addresses are read here, within bounds; an https address
of a chat's image part is left for a remote server to fetch, and is nothing that a model in this process would
see.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

PICTURE = re.compile(r"!\[([^\]\n]{0,500})\]\(\s*(/media/[^\s)]{1,200}|data:image/[^\s)]+)\s*\)")
OWN = re.compile(r"/media/[\w.-]+/([0-9a-f]{32}\.(png|jpg|gif|webp))")
DATA = re.compile(r"data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/=\s]+)")
KINDS = {"png": "png", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
MOST_BYTES = 20 * 1024**2  # of one picture
MOST_PIXELS = 40_000_000  # beyond this a small file unpacks into gigabytes


def taken_out(text: str) -> tuple[str, tuple[str, ...]]:
    """The text with a mark where it shows a picture as Markdown does, and the pictures' addresses in order."""
    found = tuple(match.group(2) for match in PICTURE.finditer(text))
    return PICTURE.sub(
        lambda match: f"[picture: {match.group(1)}]" if match.group(1) else "[picture]", text
    ), found


def embedded(url: str, folder: Path) -> str:
    """The address as a model can take it: a project's own media, kept in `folder`, as data; others as they are.

    A medium that is not there stays an address, so that the backend says what it could not see.
    """
    own = OWN.fullmatch(url)
    path = folder / own.group(1) if own else None
    if own is None or path is None or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return url
    data = base64.b64encode(path.read_bytes()).decode()
    return f"data:image/{KINDS[own.group(2)]};base64,{data}"


def bytes_of(url: str) -> bytes | None:
    """The picture's bytes where the address carries them, within bounds; else None."""
    data = DATA.fullmatch(url)
    if data is None or len(data.group(2)) > MOST_BYTES * 4 // 3 + 4:
        return None
    try:
        return base64.b64decode(data.group(2), validate=False)
    except binascii.Error:
        return None
