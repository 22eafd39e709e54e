"""Exports over HTTP: who may, what streams, what is refused before the first byte."""

import gzip
import json

import pytest

from accounts.actions import ensure_user
from accounts.models import Token
from accounts.rights import Role
from exports.actions import create_snapshot, stream_export
from exports.choices import Choices
from exports.datasets import open_live
from ledger.actions import add_member
from tests.integration.exports.made_rows import votes

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client, owner):
    """`get("p/exports/…", user=…)` with that user's bearer token."""

    answers = []

    def call(path, *, user=owner, **headers):
        if user is not None:
            headers["Authorization"] = f"Bearer {Token.issue(user)[1]}"
        answers.append(client.get(f"/api/v1/projects/{path}", headers=headers))
        return answers[-1]

    yield call
    for answer in answers:
        if answer.streaming:  # a stream that nobody reads would hold its transaction
            body(answer)


def body(response):
    return b"".join(response.streaming_content)


def test_a_live_export_streams_json_lines(get, project_of):
    project_of(votes(), slug="p")
    response = get("p/exports/trl-preference/")
    assert (response.status_code, response["Content-Type"]) == (200, "application/x-ndjson")
    assert response["Content-Disposition"] == 'attachment; filename="p-trl-preference.jsonl"'
    assert [json.loads(line)["instance"] for line in body(response).splitlines()] == [
        f"i{n}" for n in range(10)
    ]


def test_containers_and_choices_are_parameters(get, project_of):
    project_of(votes(), slug="p")
    assert get("p/exports/soft/?where=language=en").status_code == 422
    packed = body(get("p/exports/soft/?container=jsonl.gz&prompt=implicit"))
    assert "prompt" not in json.loads(gzip.decompress(packed).splitlines()[0])


def test_a_version_has_a_tag_and_answers_304(get, project_of):
    project = project_of(votes(), slug="p")
    create_snapshot(project, version="v1", choices=Choices())
    response = get("p/exports/trl-preference/?version=v1")
    first = body(response)
    again = get("p/exports/trl-preference/?version=v1", **{"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert body(get("p/exports/trl-preference/?version=v1")) == first


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("p/exports/trl-preferences/", 404, "Did you mean 'trl-preference'"),
        ("p/exports/soft/?version=v9", 404, "no version named 'v9'"),
        ("p/exports/soft/?ties=sofft", 422, "Did you mean 'soft'"),
        ("p/exports/soft/?container=zip", 404, "no container named 'zip'"),
        ("p/exports/soft/?min_margin=9", 422, "Nothing can be exported as soft"),
        ("nope/exports/soft/", 404, "There is no project 'nope'"),
    ],
)
def test_refusals_are_problem_documents(get, project_of, path, status, words):
    project_of(votes(), slug="p")
    response = get(path)
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    assert words in response.json()["detail"]


def test_rights_climb(get, project_of):
    project = project_of(votes(), slug="p")
    add_member(project, email="ann@lab.org", role=Role.ANNOTATOR)
    add_member(project, email="boss@lab.org", role=Role.ADMIN)
    assert get("p/exports/soft/", user=None).status_code == 401
    assert get("p/exports/soft/", user=ensure_user("stranger@lab.org")).status_code == 404
    assert get("p/exports/soft/", user=ensure_user("ann@lab.org")).status_code == 403
    assert get("p/exports/soft/", user=ensure_user("boss@lab.org")).status_code == 200


def test_a_client_that_leaves_frees_the_connection(project_of):
    """What a server does then: it closes the iterator, in the middle of a statement's rows."""
    project = project_of(votes(), slug="p")
    dataset = open_live(project, Choices())
    parts = stream_export(dataset, format="trl-preference", container="parquet")
    next(parts)
    parts.close()
    assert project.instances.count() == 10
    assert b"".join(stream_export(dataset, format="soft", container="jsonl")).count(b"\n") == 10
