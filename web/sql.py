"""Prepared statements, for the few queries that run all day.

Parsing and planning them cost PostgreSQL more than running them: 60 % of its time in the annotator's loop.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

Rows = list[tuple[Any, ...]]


def prepared(statement: str, parameters: dict[str, Any]) -> Rows:
    """The rows of a statement that the server parses and plans once a connection.

    Runs in Django's current transaction. JSON comes as text, to be sent on or parsed by whoever needs it.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, preparing(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=settings.PREPARED_STATEMENTS)
        return cursor.fetchall() if cursor.description else []


def plan_once(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Has a new connection keep the plans of prepared statements: they find single rows by index, whatever the values.

    Left to itself PostgreSQL plans some of them anew each time, since the new plan looks cheaper than it is.
    """
    if settings.PREPARED_STATEMENTS:
        with connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_generic_plan")


@contextmanager
def preparing(server: psycopg.Connection) -> Iterator[psycopg.Cursor]:
    """A cursor whose `prepare=True` is heard.

    Django sets a connection's threshold to None, under which psycopg prepares nothing, whoever asks. It stays so for
    the rest: psycopg would remember the text of every statement, values and all, to count how often it comes.
    """
    server.prepare_threshold = 0
    try:
        with psycopg.Cursor(server) as cursor:
            yield cursor
    finally:
        server.prepare_threshold = None
