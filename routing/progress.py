"""How far a project is, in counts."""

from django.db import connection

from ledger.models import Project

PROGRESS = """
    SELECT
        (SELECT count(*) FROM ledger_instance WHERE project_id = %(project)s),
        (SELECT count(*) FROM routing_decision d JOIN routing_route r ON r.id = d.route_id
         WHERE r.project_id = %(project)s AND r.replaced IS NULL AND d.way IN ('human', 'both')),
        (SELECT count(*) FROM annotate_assignment WHERE project_id = %(project)s AND status = 'submitted'),
        (SELECT count(*) FROM annotate_seat WHERE project_id = %(project)s AND status IN ('open', 'held')),
        (SELECT count(DISTINCT l.instance_id) FROM ledger_label l JOIN ledger_rater r ON r.id = l.rater_id
         WHERE l.project_id = %(project)s AND l.superseded IS NULL AND r.kind = 'judge')
"""


def progress_of(project: Project) -> dict[str, int]:
    """Counts: `instances`; `routed_human`, those that a person is asked about (all of them without a route);
    `submitted` assignments; `open` places that wait for a submission; `ai_labelled` instances."""
    with connection.cursor() as cursor:
        cursor.execute(PROGRESS, {"project": project.pk})
        instances, routed, submitted, waiting, judged = cursor.fetchone()
    return {
        "instances": instances,
        "routed_human": routed if project.routed else instances,
        "submitted": submitted,
        "open": waiting,
        "ai_labelled": judged,
    }
