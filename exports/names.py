"""How datasets name raters."""

from functools import lru_cache
from hashlib import blake2b

PSEUDONYM_BYTES = 5


@lru_cache(maxsize=100_000)
def shown_name(rater: str) -> str:
    """A rater's name as datasets carry it: people known by their address get a stable pseudonym."""
    if "@" not in rater:
        return rater
    return "person-" + blake2b(rater.encode(), digest_size=PSEUDONYM_BYTES).hexdigest()
