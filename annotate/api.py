"""A person's work over HTTP: next, submit, skip, progress."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.api import api
from accounts.models import User
from accounts.rights import Right
from annotate.actions import asked_about, lease_next, skip_assignment, submit_annotation
from annotate.models import Assignment
from ledger.access import enter
from ledger.actions import person_for
from ledger.api import aspect_document
from ledger.models import Instance
from web.idempotency import fingerprint, once
from web.json import json_response, read_json
from web.problems import Invalid

MAX_DURATION_MS = 7 * 24 * 3600 * 1000


@api("POST")
def next_assignment(request: HttpRequest, user: User, slug: str) -> HttpResponseBase:
    """Leases the next instance to the caller, or answers with the one that they hold; 204 where none is open."""
    read_json(request)
    project = enter(user, slug, Right.LABEL).project
    assignment = lease_next(project, person_for(user, project))
    if assignment is None:
        return HttpResponse(status=204)
    return json_response(assignment_document(assignment))


def assignment_document(assignment: Assignment) -> dict[str, Any]:
    """What a rater may see: no model's name, no other label, nothing but what is asked."""
    instance = assignment.instance
    return {
        "assignment": assignment.pk,
        "expires_at": assignment.expires_at,
        "instance": instance_document(instance),
        "aspects": [aspect_document(aspect) for aspect in asked_about(assignment.project, instance)],
        "order": assignment.order,
    }


def instance_document(instance: Instance) -> dict[str, Any]:
    texts = instance.responses.order_by("index").values_list("index", "text", "messages")
    return {
        "id": instance.ref,
        "prompt": instance.prompt,
        "context": instance.context,
        "responses": [{"index": index, "text": text, "messages": messages} for index, text, messages in texts],
    }


@api("POST")
def submit(request: HttpRequest, user: User, pk: int) -> HttpResponseBase:
    """Writes the answers; a repeated Idempotency-Key gets the first answer again."""
    body = read_json(request)
    answers, rationale, duration = body.get("answers"), body.get("rationale", ""), body.get("duration_ms")
    if not isinstance(answers, dict):
        raise Invalid("answers must be an object of aspects and values.")
    check_rationale(rationale)
    check_duration(duration)

    def act() -> dict[str, Any]:
        labels = submit_annotation(
            assignment_id=pk, user_id=user.pk, answers=answers, rationale=rationale, duration_ms=duration
        )
        return receipt([label.pk for label in labels])

    key = request.headers.get("Idempotency-Key", "")
    print_ = fingerprint(request.path.encode(), request.body)
    return json_response(once(scope=f"user:{user.pk}", key=key, print_=print_, act=act))


def receipt(label_ids: list[int]) -> dict[str, Any]:
    """Proof of what was kept: the labels' ids and a hash over them."""
    return {"labels": label_ids, "receipt": fingerprint(*(str(pk).encode() for pk in label_ids))}


def check_rationale(rationale: Any) -> None:
    if not isinstance(rationale, str) or len(rationale) > 20_000:
        raise Invalid("rationale must be a text of at most 20,000 characters.")


def check_duration(duration: Any) -> None:
    whole = isinstance(duration, int) and not isinstance(duration, bool)
    if duration is not None and not (whole and 0 <= duration <= MAX_DURATION_MS):
        raise Invalid(f"duration_ms must be a whole number in 0…{MAX_DURATION_MS}, not {duration!r:.80}.")


@api("POST")
def skip(request: HttpRequest, user: User, pk: int) -> HttpResponseBase:
    """Gives the assignment back, with a reason where one is given."""
    reason = read_json(request).get("reason", "")
    if not isinstance(reason, str):
        raise Invalid("reason must be a text.")
    assignment = skip_assignment(assignment_id=pk, user_id=user.pk, reason=reason)
    return json_response({"assignment": assignment.pk, "status": assignment.status})
