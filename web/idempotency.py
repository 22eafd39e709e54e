"""Idempotency: a repeated key gets the first answer again, and is refused with another body.

The key is remembered in the same transaction as the write that it guards, so a crash between the two
is impossible. Nobody looks first: the write is tried, and where it is refused, or meets the unique
(scope, key), the memory decides; so the usual case costs one insert.
Header and semantics: IETF draft *The Idempotency-Key HTTP Header Field*.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
from django.db import IntegrityError, transaction

from web.models import IdempotencyKey
from web.problems import Invalid, Problem
from web.sql import prepared

MAX_KEY = 200

REMEMBER = """
    INSERT INTO web_idempotencykey (scope, key, fingerprint, status, answer, created)
    VALUES (%(scope)s, %(key)s, %(print)s, 200, %(answer)s::jsonb, now())
"""


class KeyReused(Invalid):
    code, title = "idempotency-key-reused", "The idempotency key was used for another request"


def fingerprint(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=24)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def recall(*, scope: str, key: str, print_: str) -> dict[str, Any] | None:
    """The first answer given under `key`, or None. Raises `KeyReused` when the request differs."""
    found = IdempotencyKey.objects.filter(scope=scope, key=key).first()
    if found is None:
        return None
    if found.fingerprint != print_:
        raise KeyReused(f"The Idempotency-Key {key!r} was already used with another body.", key=key)
    return found.answer


def once(*, scope: str, key: str, print_: str, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `act` answered the first time that `key` was used; `act` and the memory of it commit together.

    Lock: the unique (scope, key). A loser of the race rolls back its own write and answers as the winner.
    """
    if not key:
        return act()
    if len(key) > MAX_KEY:
        raise Invalid(f"The Idempotency-Key is longer than {MAX_KEY} characters.")
    try:
        with transaction.atomic():
            answer = act()
            text = orjson.dumps(answer).decode()
            prepared(REMEMBER, {"scope": scope, "key": key, "print": print_, "answer": text})
    except (IntegrityError, Problem):
        first = recall(scope=scope, key=key, print_=print_)
        if first is None:
            raise
        return first
    return answer
