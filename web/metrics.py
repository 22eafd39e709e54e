"""What operators watch, in Prometheus' text format: read from the database, so that every process says the same."""

from django.db import connection

COUNTS = """
    SELECT
        (SELECT count(*) FROM annotate_seat WHERE status = 'open'),
        (SELECT count(*) FROM annotate_assignment WHERE status = 'leased'),
        (SELECT reltuples::bigint FROM pg_class WHERE relname = 'ledger_label'),
        (SELECT reltuples::bigint FROM pg_class WHERE relname = 'ledger_instance'),
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database())
"""
GAUGES = (
    ("switchyard_open_seats", "Places at instances that wait for a person."),
    ("switchyard_leases", "Assignments that somebody holds."),
    ("switchyard_labels_estimate", "Labels in the ledger, as the planner estimates."),
    ("switchyard_instances_estimate", "Instances, as the planner estimates."),
    ("switchyard_database_connections", "Connections to the database."),
)


def exposition() -> str:
    """The gauges, one line of help, type and value each."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        values = cursor.fetchone()
    lines = []
    for (name, text), value in zip(GAUGES, values, strict=True):
        lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {max(value, 0)}"]
    return "\n".join(lines) + "\n"
