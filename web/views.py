"""Health, readiness and metrics, and nothing that needs an account."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse

from web.json import json_response
from web.metrics import exposition


def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return json_response({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """200 once the database is migrated and the cache answers; 503 with the reason otherwise."""
    checks = {"database": database_ready(), "cache": cache_ready()}
    ready = all(state == "ok" for state in checks.values())
    return json_response({"status": "ok" if ready else "not ready", **checks}, status=200 if ready else 503)


def database_ready() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"unreachable: {type(error).__name__}"
    return f"{len(pending)} migrations pending" if pending else "ok"


def cache_ready() -> str:
    try:
        redis.from_url(settings.REDIS_URL, socket_timeout=2).ping()
    except redis.RedisError as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format."""
    return HttpResponse(exposition(), content_type="text/plain; version=0.0.4; charset=utf-8")
