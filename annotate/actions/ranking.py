"""What the open seats' order and needs follow from: skill rules, and whether nearly finished goes first."""

from collections.abc import Sequence

import orjson
from django.db import connection

from annotate.skills import NEED
from ledger.models import Project

STRIDE = 2**40  # more than any rank: an instance with one answer more comes before all with fewer

SET_NEEDS = f"""
    UPDATE annotate_seat SET need = wanted.need
    FROM (SELECT i.id, {NEED} AS need FROM ledger_instance i
          WHERE i.project_id = %(project)s AND (%(instances)s::bigint[] IS NULL OR i.id = ANY(%(instances)s))) wanted
    WHERE annotate_seat.instance_id = wanted.id AND annotate_seat.need <> wanted.need
"""

PUT_FIRST = """
    UPDATE annotate_seat s SET rank = place.rank
    FROM (SELECT o.id, mod(mod(o.rank, %(stride)s) + %(stride)s, %(stride)s) - %(weight)s * (
              SELECT count(*) FROM annotate_seat f WHERE f.instance_id = o.instance_id AND f.status = 'filled') AS rank
          FROM annotate_seat o
          WHERE o.project_id = %(project)s
            AND (%(instances)s::bigint[] IS NULL OR o.instance_id = ANY(%(instances)s))) place
    WHERE s.id = place.id AND s.rank <> place.rank
"""


def set_needs(project: Project, instance_ids: Sequence[int] | None = None) -> None:
    """Gives seats the need that the skill rules say; None: all of the project's."""
    run(
        SET_NEEDS, project, instance_ids, rules=orjson.dumps(project.settings.get("skill_rules", [])).decode()
    )


def put_first(project: Project, instance_ids: Sequence[int] | None = None) -> None:
    """Ranks instances with more answers before those with fewer, where `finish_first` is set; else by rank alone.

    A rank is its place in line less STRIDE for each answer; the place is what remains of it by STRIDE.
    """
    weight = STRIDE if project.settings.get("finish_first") else 0
    run(PUT_FIRST, project, instance_ids, stride=STRIDE, weight=weight)


def follow_settings(project: Project, instance_ids: Sequence[int] | None = None) -> None:
    """Need and rank of seats that were just opened; costs nothing where neither is asked for."""
    if project.settings.get("skill_rules"):
        set_needs(project, instance_ids)
    if project.settings.get("finish_first"):
        put_first(project, instance_ids)


def run(statement: str, project: Project, instance_ids: Sequence[int] | None, **values: str | int) -> None:
    instances = None if instance_ids is None else list(instance_ids)
    with connection.cursor() as cursor:
        cursor.execute(statement, {"project": project.pk, "instances": instances, **values})
