"""The embedded Redis 6.2: start, wait for, stop."""

import os
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.embedded.errors import EmbeddedError
from config.embedded.places import Place, private_folder
from config.embedded.postgres import socket_answers

PATIENCE = 300  # seconds; an append-only file is read back at start
STOP_PATIENCE = 30

# The queue's messages live here: the append-only file keeps them over a crash.
CONFIGURATION = """\
# Written by config/embedded/redis.py at every start; changes here are lost.
port 0
unixsocket "{socket}"
unixsocketperm 700
daemonize yes
dir "{data}"
logfile "{log}"
loglevel warning
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
"""


def socket_path(place: Place) -> Path:
    return place.sockets / "redis.sock"


def answers(place: Place) -> bool:
    return socket_answers(socket_path(place))


def start(place: Place) -> None:
    """Start the server where it does not run, and wait until it takes commands.

    The caller holds the start lock of the home.
    """
    if not answers(place):
        done = place.run([place.redis_bin / "redis-server", _configure(place)])
        if done.returncode:
            raise EmbeddedError(f"Redis did not start: {done.stdout.strip()}")
    _wait(place)


def stop(place: Place) -> None:
    """Stop the server where it runs, its append-only file written."""
    if not answers(place):
        return
    with _client(place) as client:
        client.shutdown(nosave=True)
    deadline = time.monotonic() + STOP_PATIENCE
    while answers(place) and time.monotonic() < deadline:
        time.sleep(0.02)


def _client(place: Place) -> redis.Redis:
    """A client that does not try again by itself: after SHUTDOWN nobody answers, and that is the aim."""
    return redis.Redis(
        unix_socket_path=str(socket_path(place)), socket_timeout=30, retry=Retry(NoBackoff(), 0)
    )


def _configure(place: Place) -> Path:
    data = place.root / "redis"
    private_folder(data, owner=place.user)
    path = place.root / "redis.conf"
    path.write_text(CONFIGURATION.format(socket=socket_path(place), data=data, log=place.root / "redis.log"))
    if place.drops_root:
        os.chown(path, place.user.pw_uid, place.user.pw_gid)
    return path


def _wait(place: Place) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with _client(place) as client:
                client.ping()
                return
        except (redis.ConnectionError, redis.BusyLoadingError) as refused:
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"Redis does not answer: {refused}; see {place.root / 'redis.log'}"
                ) from refused
        time.sleep(0.02)
