"""Prepared statements, for the few queries that run all day."""

from typing import Any

import psycopg
from django.db import connection

Rows = list[tuple[Any, ...]]


def prepared(statement: str, parameters: dict[str, Any]) -> Rows:
    """The rows of a statement that the server parses and plans once a connection.

    Runs in Django's current transaction. JSON comes as text, to be sent on or parsed by whoever needs it.
    """
    connection.ensure_connection()
    connection.validate_no_broken_transaction()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement, parameters, prepare=True)
        return cursor.fetchall() if cursor.description else []
