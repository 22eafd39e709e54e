"""An assignment and all that its screen reads, in one statement: no label, no response's model, hardly any metadata."""

from dataclasses import dataclass
from typing import Any

import orjson

from annotate.models import Assignment
from ledger.desk import Desk
from ledger.models import Instance, Response
from web.problems import NotFound
from web.sql import prepared

WORK = """
    SELECT a.id, a.instance_id, a.rater_id, a."order", a.repeat, a.status, a.draft::text,
        i.prompt::text, i.context::text, jsonb_build_object(
            'language', i.metadata -> 'language', 'lang', i.metadata -> 'lang')::text, i.size,
        (SELECT json_agg(json_build_array(r.index, r.text, r.messages) ORDER BY r.index)
         FROM ledger_response r WHERE r.instance_id = i.id)::text
    FROM annotate_assignment a JOIN ledger_instance i ON i.id = a.instance_id
    WHERE a.id = %(assignment)s AND a.project_id = %(project)s AND a.rater_id = %(rater)s
"""


@dataclass(frozen=True, slots=True)
class Work:
    """An assignment, which has its instance and project, and the instance's responses by index."""

    assignment: Assignment
    responses: list[Response]


def my_work(desk: Desk, pk: int) -> Work:
    """The caller's own assignment in this project. Raises `NotFound`, also for somebody else's."""
    rows = prepared(WORK, {"assignment": pk, "project": desk.project.pk, "rater": desk.rater_id})
    if not rows:
        raise NotFound(f"There is no assignment {pk} of yours in {desk.project.slug}.")
    return as_work(desk, *rows[0])


def as_work(desk: Desk, pk: int, instance: int, rater: int, *row: Any) -> Work:
    """The work of a row of `WORK`."""
    order, repeat, status, draft, prompt, context, metadata, size, responses = row
    found = Assignment(pk=pk, rater_id=rater, order=order, repeat=repeat, status=status)
    found.draft = orjson.loads(draft) if draft else None
    found.project = desk.project
    found.instance = Instance(
        pk=instance,
        project=desk.project,
        prompt=orjson.loads(prompt),
        context=orjson.loads(context),
        metadata=orjson.loads(metadata),
        size=size,
    )
    texts = [Response(index=at, text=text, messages=said) for at, text, said in orjson.loads(responses)]
    return Work(found, texts)
