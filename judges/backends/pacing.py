"""How fast an endpoint may be called: evenly spaced turns, over this process's threads or over every worker's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import redis

KEPT_MS = 3_600_000  # an endpoint that nobody has called for an hour needs no memory of its last turn

# Take the next turn by Redis's own clock: the seconds until it
TURN = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1e6
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
redis.call('SET', KEYS[1], string.format('%.6f', turn + ARGV[1]), 'PX', ARGV[2])
return string.format('%.6f', turn - now)
"""


class Pacing(Protocol):
    """What spaces calls."""

    def wait(self) -> None:
        """Sleep until this call's turn."""
        ...


@dataclass
class OwnPace:
    """At most `rate` calls a second over this process's threads; 0: no bound."""

    rate: float
    lock: threading.Lock = field(default_factory=threading.Lock)
    next: float = 0.0

    def wait(self) -> None:
        if not self.rate:
            return
        with self.lock:
            now = time.monotonic()
            turn = max(now, self.next)
            self.next = turn + 1 / self.rate
        time.sleep(max(turn - now, 0.0))


@dataclass(frozen=True)
class SharedPace:
    """At most `rate` calls a second over all processes that know the same `server` (Redis) and `name`."""

    server: str
    name: str
    rate: float

    def wait(self) -> None:
        turn = client(self.server).eval(TURN, 1, f"pace:{self.name}", str(1 / self.rate), str(KEPT_MS))
        time.sleep(max(float(turn), 0.0))


@lru_cache(maxsize=4)
def client(server: str) -> redis.Redis:
    return redis.from_url(server)
