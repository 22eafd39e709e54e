"""A person's work over HTTP: next, submit, skip, progress."""

from typing import Any

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.api import api, require_method
from accounts.models import User
from accounts.rights import Right
from annotate.actions import (
    extend_lease,
    lease_next_id,
    people_on,
    set_gold,
    skip_assignment,
    submit_annotation,
    withdraw_gold,
)
from annotate.tasks import score_gold
from ledger.access import enter
from ledger.desk import desk_of
from ledger.models import Instance, Project
from ledger.questions import aspect_document, questions_of
from web.idempotency import fingerprint, once
from web.json import json_response, read_json
from web.problems import Invalid, NotFound
from web.sql import prepared

MAX_DURATION_MS = 7 * 24 * 3600 * 1000


@require_method("POST")
def next_assignment(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Leases the next instance to the caller, or answers with the one that they hold; 204 where none is open."""
    read_json(request)
    desk = desk_of(request, slug)
    leased = lease_next_id(desk.project, desk.rater_id, member=desk.member, at=timezone.now())
    if leased is None:
        return HttpResponse(status=204)
    return json_response(assignment_document(desk.project, leased))


# A message may carry its model's name, its cost, anything: a rater gets what is said and what is called.
BLINDED = """
    CASE WHEN jsonb_typeof({messages}) = 'array' THEN (
        SELECT jsonb_agg((SELECT jsonb_object_agg(key, value) FROM jsonb_each(said.message)
            WHERE key IN ('role', 'content', 'name', 'tool_calls', 'tool_call_id')) ORDER BY said.place)
        FROM jsonb_array_elements({messages}) WITH ORDINALITY AS said (message, place))
    ELSE {messages} END
"""
DOCUMENT = f"""
    SELECT a.expires_at, a."order", i.ref, ({BLINDED.format(messages="i.prompt")})::text, i.context::text, i.size,
        (SELECT json_agg(json_build_object('index', r.index, 'text', r.text,
            'messages', {BLINDED.format(messages="r.messages")}) ORDER BY r.index)
         FROM ledger_response r WHERE r.instance_id = i.id)::text
    FROM annotate_assignment a JOIN ledger_instance i ON i.id = a.instance_id
    WHERE a.id = %(assignment)s
"""


def assignment_document(project: Project, assignment_id: int) -> dict[str, Any]:
    """What a rater may see: no model's name, no other label, nothing but what is asked."""
    rows = prepared(DOCUMENT, {"assignment": assignment_id})
    expires_at, order, ref, prompt, context, size, responses = rows[0]
    return {
        "assignment": assignment_id,
        "expires_at": expires_at,
        "instance": {
            "id": ref,
            "prompt": orjson.Fragment(prompt),
            "context": orjson.Fragment(context),
            "responses": orjson.Fragment(responses),
        },
        "aspects": [aspect_document(aspect) for aspect in questions_of(project).for_size(size)],
        "order": order,
    }


@api("POST")
def submit(request: HttpRequest, user: User, pk: int) -> HttpResponseBase:
    """Writes the answers; a repeated Idempotency-Key gets the first answer again."""
    body = read_json(request)
    answers, rationale = body.get("answers"), body.get("rationale", "")
    if not isinstance(answers, dict):
        raise Invalid("answers must be an object of aspects and values.")
    check_rationale(rationale)
    duration = read_duration(body.get("duration_ms"))

    def act() -> dict[str, Any]:
        labels = submit_annotation(
            assignment_id=pk, user_id=user.pk, answers=answers, rationale=rationale, duration_ms=duration
        )
        return receipt(labels)

    key = request.headers.get("Idempotency-Key", "")
    print_ = fingerprint(request.path.encode(), request.body)
    return json_response(once(scope=f"user:{user.pk}", key=key, print_=print_, act=act))


def receipt(label_ids: list[int]) -> dict[str, Any]:
    """Proof of what was kept: the labels' ids and a hash over them."""
    return {"labels": label_ids, "receipt": fingerprint(*(str(pk).encode() for pk in label_ids))}


def check_rationale(rationale: Any) -> None:
    if not isinstance(rationale, str) or len(rationale) > 20_000:
        raise Invalid("rationale must be a text of at most 20,000 characters.")


def read_duration(duration: Any) -> int | None:
    """Whole milliseconds: a browser's clock counts in fractions of one. Raises `Invalid`."""
    if duration is None:
        return None
    number = isinstance(duration, int | float) and not isinstance(duration, bool)
    if not number or not 0 <= duration <= MAX_DURATION_MS:
        raise Invalid(f"duration_ms must be a number in 0…{MAX_DURATION_MS}, not {duration!r:.80}.")
    return round(duration)


@api("POST")
def skip(request: HttpRequest, user: User, pk: int) -> HttpResponseBase:
    """Gives the assignment back, with a reason where one is given."""
    reason = read_json(request).get("reason", "")
    if not isinstance(reason, str):
        raise Invalid("reason must be a text.")
    assignment = skip_assignment(assignment_id=pk, user_id=user.pk, reason=reason)
    return json_response({"assignment": assignment.pk, "status": assignment.status})


@api("POST")
def heartbeat(request: HttpRequest, user: User, pk: int) -> HttpResponseBase:
    """Keeps the lease of work that is still going on: it runs anew from now."""
    assignment = extend_lease(assignment_id=pk, user_id=user.pk)
    return json_response({"assignment": assignment.pk, "expires_at": assignment.expires_at})


@api("POST")
def gold(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """Sets known answers: `{"instance", "answers", "explanation"?}`, or a list of them under `gold`; all or none.

    `"answers": null` takes an instance's known answers back.
    """
    place = enter(user, slug, Right.MANAGE)
    body = read_json(request)
    rows = body.get("gold", [body])
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise Invalid("gold must be a list of objects.")
    with transaction.atomic():
        changed = sum(know(place.project, row) for row in rows)
    return json_response({"instances": len(rows), "labels": changed})


def know(project: Project, row: dict[str, Any]) -> int:
    """Sets or takes back one instance's known answers; how many labels that touched."""
    instance = Instance.objects.filter(project=project, ref=str(row.get("instance"))).first()
    if instance is None:
        raise NotFound(f"There is no instance {row.get('instance')!r:.80} in {project.slug}.")
    instance.project = project
    answers, explanation = row.get("answers", {}), row.get("explanation", "")
    check_rationale(explanation)
    if answers is None:
        for rater_id in people_on([instance.pk]):
            score_gold.delay_on_commit(rater_id)
        return withdraw_gold(instance)
    if not isinstance(answers, dict):
        raise Invalid("answers must be an object of aspects and values, or null.")
    return len(set_gold(instance, answers, explanation=explanation))
