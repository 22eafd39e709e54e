"""A person's work through the HTTP API."""

import json
from datetime import timedelta

import pytest
from django.urls import get_resolver
from django.utils import timezone

from accounts.models import Token
from annotate.models import Assignment
from config.openapi import PATHS
from ledger.actions import set_member_status
from ledger.models import Label, Member
from tests.makers import (
    Caller,
    make_annotator,
    make_answers,
    make_instances,
    make_project,
    make_row,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project()
    make_instances(project, 3)
    return project


@pytest.fixture
def ann(client, project):
    return Caller(client, make_annotator(project)[2])


@pytest.fixture
def owner(client, project):
    return Caller(client, Token.issue(project.owner)[1])


def test_next_tells_what_is_asked_and_nothing_else(ann):
    answer = ann.post("projects/words/next/")
    task = answer.json()
    assert answer.status_code == 200
    assert set(task) == {"assignment", "expires_at", "instance", "aspects", "order"}
    assert task["instance"]["id"] == "i0"
    assert [response["text"] for response in task["instance"]["responses"]] == [
        "Answer 0 to 0.",
        "Answer 1 to 0.",
    ]
    assert [aspect["name"] for aspect in task["aspects"]] == ["helpful", "truthful", "harmless", "overall"]
    assert sorted(task["order"]) == [0, 1]
    assert "model-0" not in answer.content.decode()
    assert ann.post("projects/words/next/").json()["assignment"] == task["assignment"]


def test_submit_once_whatever_the_network_does(ann):
    task = ann.post("projects/words/next/").json()
    path = f"assignments/{task['assignment']}/submit/"
    body = {"answers": make_answers(), "rationale": "clear", "duration_ms": 1200}
    first = ann.post(path, body, **{"idempotency-key": "k1"})
    assert first.status_code == 200
    again = ann.post(path, body, **{"idempotency-key": "k1"})
    assert (again.status_code, again.json()) == (200, first.json())
    assert Label.objects.count() == 4
    other = ann.post(path, {"answers": make_answers(2)}, **{"idempotency-key": "k1"})
    assert other.status_code == 422
    assert other["Content-Type"] == "application/problem+json"
    assert other.json()["type"] == "urn:switchyard:problem:idempotency-key-reused"
    plain = ann.post(path, body)
    assert (plain.status_code, plain.json()["type"]) == (409, "urn:switchyard:problem:already-submitted")
    assert set(Label.objects.values_list("rationale", "duration_ms")) == {("clear", 1200)}


@pytest.mark.parametrize(
    ("given", "kept"), [(1200.6, 1201), (0, 0), (True, None), (-1, None), ("9", None), (1e12, None)]
)
def test_a_duration_may_count_in_fractions_and_is_refused_where_it_is_none(ann, given, kept):
    task = ann.post("projects/words/next/").json()
    answer = ann.post(
        f"assignments/{task['assignment']}/submit/", {"answers": make_answers(), "duration_ms": given}
    )
    assert answer.status_code == (422 if kept is None else 200)
    assert set(Label.objects.values_list("duration_ms", flat=True)) == (set() if kept is None else {kept})


def test_an_assignment_beyond_every_number_is_not_found(ann):
    answer = ann.post(f"assignments/{10**30}/submit/", {"answers": make_answers()})
    assert answer.status_code == 404


@pytest.mark.parametrize("text", ["²", "9" * 19, "-1", "1.5", "%00"])
def test_a_cursor_that_is_no_number_is_refused_by_name(owner, text):
    answer = owner.get(f"projects/words/labels/?after={text}")
    assert (answer.status_code, answer.json()["parameter"]) == (422, "after")


@pytest.mark.parametrize(
    ("text", "status"), [("true", 200), ("0", 200), ("", 200), ("null", 422), ("yes", 422)]
)
def test_a_dry_run_is_yes_or_no(owner, text, status):
    answer = owner.post(f"projects/words/instances/?dry_run={text}")
    assert answer.status_code == status


def test_a_key_used_for_another_assignment_is_refused_and_nothing_is_written(ann):
    first = ann.post("projects/words/next/").json()
    body = {"answers": make_answers()}
    ann.post(f"assignments/{first['assignment']}/submit/", body, **{"idempotency-key": "k1"})
    second = ann.post("projects/words/next/").json()
    refused = ann.post(f"assignments/{second['assignment']}/submit/", body, **{"idempotency-key": "k1"})
    assert refused.status_code == 422
    assert Label.objects.count() == 4
    assert Assignment.objects.get(pk=second["assignment"]).status == "leased"


def test_an_expired_lease_is_409_and_somebody_elses_404(ann, client, project):
    task = ann.post("projects/words/next/").json()
    path = f"assignments/{task['assignment']}/submit/"
    other = Caller(client, make_annotator(project, "other@test.local")[2])
    assert other.post(path, {"answers": make_answers()}).status_code == 404
    past = timezone.now() - timedelta(hours=2)
    Assignment.objects.update(leased_at=past, expires_at=past + timedelta(hours=1))
    refused = ann.post(path, {"answers": make_answers()})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:switchyard:problem:lease-gone")
    assert not Label.objects.exists()


def test_out_of_range_names_the_aspect(ann):
    task = ann.post("projects/words/next/").json()
    answers = make_answers() | {"truthful": {"strength": 9}}
    refused = ann.post(f"assignments/{task['assignment']}/submit/", {"answers": answers})
    assert refused.status_code == 422
    assert refused.json()["aspect"] == "truthful"
    assert refused.json()["detail"] == "truthful: strength must be a whole number in -2…2, not 9."


def test_all_done_is_204_and_progress_tells(ann, owner):
    for _ in range(3):
        task = ann.post("projects/words/next/").json()
        ann.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers()})
    assert ann.post("projects/words/next/").status_code == 204
    assert owner.get("projects/words/progress/").json() == {
        "instances": 3,
        "routed_human": 3,
        "submitted": 3,
        "open": 0,
        "ai_labelled": 0,
    }


def test_skip_gives_the_seat_back(ann):
    task = ann.post("projects/words/next/").json()
    assert (
        ann.post(f"assignments/{task['assignment']}/skip/", {"reason": "unclear"}).json()["status"]
        == "skipped"
    )
    assert ann.post("projects/words/next/").json()["instance"]["id"] == "i1"
    assert Assignment.objects.get(pk=task["assignment"]).reason == "unclear"


def test_the_ledger_is_paged_by_cursor(ann, owner):
    for _ in range(2):
        task = ann.post("projects/words/next/").json()
        ann.post(f"assignments/{task['assignment']}/submit/", {"answers": make_answers(-2)})
    path, labels = "/api/v1/projects/words/labels/?limit=3", []
    while path:
        page = owner.client.get(path, headers=owner.headers).json()
        labels += page["labels"]
        path = page["next"]
    assert len(labels) == 8
    assert len({label["id"] for label in labels}) == 8
    assert set(labels[0]) == {
        "id",
        "instance",
        "aspect",
        "rater",
        "kind",
        "value",
        "order",
        "created",
        "superseded",
    }
    assert (labels[0]["rater"], labels[0]["kind"], labels[0]["value"]) == (
        "ann@test.local",
        "person",
        {"strength": -2},
    )


def test_rights_climb(client, project, ann, owner):
    nobody = client.get("/api/v1/projects/")
    assert (nobody.status_code, nobody["WWW-Authenticate"]) == (401, "Bearer")
    assert Caller(client, "sy_wrong").get("projects/").status_code == 401
    stranger = Caller(client, Token.issue(make_user("stranger@test.local"))[1])
    assert stranger.get("projects/words/").status_code == 404
    assert stranger.post("projects/words/next/").status_code == 404
    assert stranger.get("projects/").json() == {"projects": []}
    assert ann.get("projects/words/").status_code == 200
    assert ann.get("projects/words/labels/").status_code == 403
    assert ann.post("projects/words/instances/").status_code == 403
    assert owner.get("projects/words/labels/").status_code == 200
    set_member_status(
        Member.objects.get(user__email="ann@test.local"), Member.Status.PAUSED, reason="See me."
    )
    paused = ann.post("projects/words/next/")
    assert (paused.status_code, paused.json()["detail"]) == (403, "See me.")


def test_import_over_http_answers_as_the_command(owner):
    lines = "\n".join([json.dumps(make_row(9)), "{", json.dumps(make_row(0))])
    answer = owner.client.post(
        "/api/v1/projects/words/instances/", lines, "application/x-ndjson", headers=owner.headers
    )
    assert answer.status_code == 200
    report = answer.json()
    assert (report["imported"], report["duplicates"], [e["line"] for e in report["errors"]]) == (1, 1, [2])


def test_sessions_need_a_csrf_token_and_tokens_do_not(project):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    user, _, token = make_annotator(project)
    browser.force_login(user)
    assert browser.post("/api/v1/projects/words/next/").status_code == 403
    assert Caller(Client(enforce_csrf_checks=True), token).post("projects/words/next/").status_code == 200


def test_signals_from_use_become_labels(owner):
    signal = {"instance": "i0", "signal": "thumbs", "response": 1, "value": 1, "user": "u-17"}
    assert owner.post("projects/words/feedback/", signal).status_code == 201
    assert owner.post("projects/words/feedback/", signal | {"value": -1}).status_code == 201
    live = Label.objects.live().get()
    assert (live.value, live.rater.kind, live.rater.name) == (
        {"signal": "thumbs", "response": 1, "value": -1},
        "use",
        "u-17",
    )
    follow = {"instance": "i0", "signal": "follow_up", "response": 0}
    both = owner.post(
        "projects/words/feedback/", {"signals": [follow | {"value": "and?"}, follow | {"value": "so?"}]}
    )
    assert len(both.json()["labels"]) == 2
    assert owner.post("projects/words/feedback/", signal | {"value": 5}).status_code == 422
    assert owner.post("projects/words/feedback/", signal | {"instance": "i99"}).status_code == 404
    assert owner.post("projects/words/feedback/", {"instance": "i0"}).json()["missing"] == [
        "signal",
        "response",
        "value",
    ]


def test_openapi_describes_every_address(client):
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    api = next(p for p in get_resolver().url_patterns if str(p.pattern) == "api/v1/")
    routes = {str(p.pattern) for p in api.url_patterns} - {"openapi.json"}
    described = {
        path.lstrip("/")
        .replace("{slug}", "<slug:slug>")
        .replace("{pk}", "<row:pk>")
        .replace("{format}", "<str:format>")
        for path in PATHS
    }
    assert routes == described


@pytest.mark.parametrize(("path", "status"), [("healthz", 200), ("readyz", 200), ("metrics", 200)])
def test_health(client, path, status):
    assert client.get(f"/{path}").status_code == status


def test_unknown_addresses_and_methods_are_problem_documents(client, owner):
    missing = client.get("/api/v1/nowhere/")
    assert (missing.status_code, missing["Content-Type"]) == (404, "application/problem+json")
    wrong = owner.get("projects/words/next/")
    assert (wrong.status_code, wrong["Allow"]) == (405, "POST")
    broken = owner.client.post("/api/v1/projects/words/next/", "{", "application/json", headers=owner.headers)
    assert (broken.status_code, broken.json()["type"]) == (422, "urn:switchyard:problem:invalid")
