"""What the tests of the annotator's doors share."""

import psycopg
import pytest


@pytest.fixture
def statements(monkeypatch):
    """What goes to the server, but for savepoints; the statements run all the same."""
    seen = []
    execute = psycopg.Cursor.execute

    def noting(cursor, query, *args, **kwargs):
        if "SAVEPOINT" not in str(query):
            seen.append(str(query)[:200])
        return execute(cursor, query, *args, **kwargs)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    return seen
