"""Prepared statements against the real server, which counts what it plans."""

import pytest
from django.db import connection

from web.sql import prepared

pytestmark = pytest.mark.django_db

STATEMENT = "SELECT id FROM ledger_project WHERE id = %(project)s"


@pytest.fixture
def fresh():
    """A connection without prepared statements, before and after."""
    connection.connection.execute("DEALLOCATE ALL")
    yield
    connection.connection.execute("DEALLOCATE ALL")


def kept():
    """(with the kept plan, planned anew) of each statement that the server has prepared."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s",
            ["%ledger_project WHERE id = $1%"],
        )
        return cursor.fetchall()


def test_a_statement_is_parsed_and_planned_once_a_connection(fresh):
    for project in range(8):
        assert prepared(STATEMENT, {"project": project}) == []
    assert kept() == [(8, 0)]


def test_behind_a_pooler_nothing_is_prepared(fresh, settings):
    settings.PREPARED_STATEMENTS = False
    for project in range(8):
        assert prepared(STATEMENT, {"project": project}) == []
    assert kept() == []


def test_nothing_else_is_remembered_by_the_driver(fresh):
    prepared(STATEMENT, {"project": 1})
    assert connection.connection.prepare_threshold is None
