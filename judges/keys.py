"""Keys of remote models: kept encrypted, opened in the worker that calls, shown to nobody.

Fernet under a key derived from SECRET_KEY by HKDF-SHA256 with a label of its own. A changed SECRET_KEY
makes them unreadable, which is said as such.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from judges.problems import KeyUnreadable


def sealed(key: str) -> bytes:
    """The key encrypted; nothing for no key."""
    return _fernet().encrypt(key.encode()) if key else b""


def opened(token: bytes) -> str:
    """The key that `sealed` was given. Raises `KeyUnreadable` where SECRET_KEY has changed since."""
    if not token:
        return ""
    try:
        return _fernet().decrypt(bytes(token)).decode()
    except InvalidToken as error:
        raise KeyUnreadable(
            "The endpoint's key was sealed under another SECRET_KEY: enter it again."
        ) from error


def _fernet() -> Fernet:
    derived = HKDF(SHA256(), length=32, salt=None, info=b"switchyard judges endpoint keys").derive(
        settings.SECRET_KEY.encode()
    )
    return Fernet(base64.urlsafe_b64encode(derived))
