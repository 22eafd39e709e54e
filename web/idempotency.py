"""Idempotency: a repeated key gets the first answer again, and is refused with another body.

The key is remembered in the same transaction as the write that it guards, so a crash between
the two is impossible; two requests racing under one key meet at the unique constraint.
Header and semantics: IETF draft *The Idempotency-Key HTTP Header Field*.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from web.models import IdempotencyKey
from web.problems import Invalid, Problem


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
    if len(key) > 200:
        raise Invalid("The Idempotency-Key is longer than 200 characters.")
    answer = recall(scope=scope, key=key, print_=print_)
    if answer is not None:
        return answer
    try:
        with transaction.atomic():
            answer = act()
            IdempotencyKey.objects.create(scope=scope, key=key, fingerprint=print_, status=200, answer=answer)
    except (IntegrityError, Problem):
        # The winner of a race may have committed between our look and our write, and made the act impossible.
        answer = recall(scope=scope, key=key, print_=print_)
        if answer is None:
            raise
    return answer
