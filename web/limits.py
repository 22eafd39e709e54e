"""Limits on how often something may be tried, counted in the cache in fixed windows."""

import hashlib

from django.core.cache import cache

from web.problems import TooMany


def cache_key(what: str, who: str) -> str:
    return f"limit:{what}:{hashlib.sha256(who.lower().encode()).hexdigest()[:32]}"


def count(what: str, who: str, *, seconds: int) -> int:
    """Counts one more try of `what` by `who`; how many there were in this window."""
    key = cache_key(what, who)
    cache.add(key, 0, timeout=seconds)
    try:
        return cache.incr(key)
    except ValueError:  # the window ended between the two calls
        return 1


def refuse_beyond(what: str, who: str, *, most: int, minutes: int) -> None:
    """Raises `TooMany` once `who` has used up the `most` tries that were counted."""
    if cache.get(cache_key(what, who), 0) >= most:
        raise TooMany(
            f"There were too many attempts. Try again in {minutes} minutes.", retry_after=60 * minutes
        )
