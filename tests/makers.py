"""Test data, made by the same actions that production uses."""

import io
import json
from datetime import datetime
from typing import Any

import orjson
from django.test import Client
from django.utils import timezone

from accounts.models import Token, User
from accounts.rights import Role
from annotate.actions import lease_next_id
from annotate.models import Assignment
from ledger.actions import add_member, create_project, person_for
from ledger.imports.load import Report, import_stream
from ledger.models import Project, Rater


def make_user(email: str = "owner@test.local", **fields: Any) -> User:
    return User.objects.by_email(email) or User.objects.create_user(email, "secret-enough", **fields)


def make_project(slug: str = "words", *, template: str = "multipref", overlap: int = 1) -> Project:
    return create_project(slug=slug, template=template, owner=make_user(), overlap=overlap)


def make_row(number: int, *, responses: int = 2, **more: Any) -> dict[str, Any]:
    texts = [
        {"text": f"Answer {index} to {number}.", "model": f"model-{index}"} for index in range(responses)
    ]
    return {"id": f"i{number}", "prompt": f"Question {number}?", "responses": texts, **more}


def import_rows(project: Project, rows: list[dict[str, Any]]) -> Report:
    return import_stream(project, io.BytesIO(b"\n".join(map(orjson.dumps, rows))))


def make_instances(project: Project, count: int = 3, **more: Any) -> Report:
    return import_rows(project, [make_row(number, **more) for number in range(count)])


def make_annotator(project: Project, email: str = "ann@test.local") -> tuple[User, Rater, str]:
    """A user, their rater, and a bearer token."""
    user = add_member(project, email=email, role=Role.ANNOTATOR).user
    return user, person_for(user, project), Token.issue(user)[1]


def lease_next(project: Project, rater: Rater, *, at: datetime | None = None) -> Assignment | None:
    """The assignment that `rater` holds, else the next open seat leased to them, else None."""
    leased = lease_next_id(project, rater.pk, at=at or timezone.now())
    return None if leased is None else Assignment.objects.select_related("instance", "project").get(pk=leased)


def make_answers(strength: int = -1) -> dict[str, Any]:
    """Answers to every aspect of the template `multipref`."""
    return {name: {"strength": strength} for name in ("helpful", "truthful", "harmless", "overall")}


class Caller:
    """Someone who calls the API with a bearer token."""

    def __init__(self, client: Client, token: str) -> None:
        self.client = client
        self.headers = {"authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return self.client.get(f"/api/v1/{path}", headers=self.headers)

    def post(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> Any:
        return self.client.post(
            f"/api/v1/{path}", json.dumps(body or {}), "application/json", headers=self.headers | headers
        )
