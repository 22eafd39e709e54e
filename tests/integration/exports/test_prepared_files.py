"""Prepared files: asked for over HTTP, written by a worker, downloaded whole or in parts."""

import io
import json
import zipfile

import pytest

from accounts.actions import ensure_user
from accounts.models import Token
from exports.actions import create_snapshot, stream_export
from exports.choices import Choices
from exports.datasets import open_snapshot
from exports.models import PreparedFile
from exports.readback import read_export
from exports.tasks import write_prepared_file
from tests.integration.exports.made_rows import votes

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(client, owner):
    def send(method, path, *, user=owner, **headers):
        headers["Authorization"] = f"Bearer {Token.issue(user)[1]}"
        return getattr(client, method)(f"/api/v1/projects/p/{path}", headers=headers)

    return send


@pytest.fixture
def snapshot(project_of):
    return create_snapshot(project_of(votes(), slug="p"), version="v1", choices=Choices())


@pytest.fixture
def prepared(call, snapshot, eager_tasks, django_capture_on_commit_callbacks):
    """A file that a worker has written."""
    with django_capture_on_commit_callbacks(execute=True):
        asked = call("post", "exports/trl-preference/files/?version=v1")
    assert asked.status_code == 202
    return asked.json()["id"]


def body(response):
    return b"".join(response.streaming_content)


def test_a_worker_writes_the_bytes_of_the_stream(call, prepared, snapshot):
    told = call("get", f"files/{prepared}/").json()
    whole = b"".join(stream_export(open_snapshot(snapshot, {}), format="trl-preference", container="jsonl"))
    assert (told["status"], told["rows"], told["hash"], told["size"]) == (
        "done",
        10,
        snapshot.hash,
        len(whole),
    )
    response = call("get", f"files/{prepared}/download/")
    assert (response.status_code, response["Accept-Ranges"], body(response)) == (200, "bytes", whole)


def test_a_broken_download_goes_on_where_it_stopped(call, prepared):
    whole_answer = call("get", f"files/{prepared}/download/")
    tag, whole = whole_answer["ETag"], body(whole_answer)
    part = call("get", f"files/{prepared}/download/", Range="bytes=100-", **{"If-Range": tag})
    assert (part.status_code, part["Content-Range"]) == (206, f"bytes 100-{len(whole) - 1}/{len(whole)}")
    assert body(part) == whole[100:]
    assert body(call("get", f"files/{prepared}/download/", Range="bytes=5-9")) == whole[5:10]
    assert body(call("get", f"files/{prepared}/download/", Range="bytes=-7")) == whole[-7:]
    other = call("get", f"files/{prepared}/download/", Range="bytes=100-", **{"If-Range": '"other"'})
    assert (other.status_code, body(other)) == (200, whole)
    beyond = call("get", f"files/{prepared}/download/", Range=f"bytes={len(whole)}-")
    assert (beyond.status_code, beyond["Content-Range"]) == (416, f"bytes */{len(whole)}")
    again = call("get", f"files/{prepared}/download/", **{"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


def test_asking_again_makes_no_second_file(call, prepared):
    assert call("post", "exports/trl-preference/files/?version=v1").json()["id"] == prepared
    assert call("post", "exports/soft/files/?version=v1").json()["id"] != prepared
    assert PreparedFile.objects.count() == 2


def test_a_task_run_twice_gives_the_same_bytes(prepared):
    file = PreparedFile.objects.get(pk=prepared)
    before = file.path.read_bytes()
    PreparedFile.objects.update(status=PreparedFile.Status.RUNNING)  # as a worker that died leaves it
    write_prepared_file(prepared)
    file.refresh_from_db()
    assert (file.status, file.path.read_bytes()) == (PreparedFile.Status.DONE, before)


def test_a_refusal_is_kept_and_told(call, snapshot, eager_tasks, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        asked = call("post", "exports/ratings/files/?version=v1").json()
    told = call("get", f"files/{asked['id']}/").json()
    assert told["status"] == "failed"
    assert "it needs a rating aspect" in told["error"]
    refused = call("get", f"files/{asked['id']}/download/")
    assert (refused.status_code, refused.json()["detail"]) == (409, "The file is failed.")


def test_a_folder_is_prepared_as_one_zip(
    call, snapshot, eager_tasks, django_capture_on_commit_callbacks, tmp_path
):
    with django_capture_on_commit_callbacks(execute=True):
        asked = call(
            "post", "exports/soft/files/?version=v1&container=folder&splits=train=0.5,test=0.5"
        ).json()
    told = call("get", f"files/{asked['id']}/").json()
    assert (told["status"], told["rows"]) == ("done", 10)
    answer = call("get", f"files/{asked['id']}/download/")
    assert answer["Content-Disposition"] == 'attachment; filename="p-v1-soft.zip"'
    first = body(answer)
    with zipfile.ZipFile(io.BytesIO(first)) as packed:
        names = packed.namelist()
        packed.extractall(tmp_path / "set")
    assert {"README.md", "manifest.json"} < set(names)
    rows = list(read_export(tmp_path / "set"))
    assert len(rows) == 10
    assert json.loads((tmp_path / "set" / "manifest.json").read_text())["hash"] == told["hash"]
    PreparedFile.objects.update(status=PreparedFile.Status.RUNNING)
    write_prepared_file(asked["id"])
    assert PreparedFile.objects.get().path.read_bytes() == first
    assert body(call("get", f"files/{asked['id']}/download/", Range="bytes=5-9")) == first[5:10]
    streamed = call("get", "exports/soft/?version=v1&container=folder")
    assert (streamed.status_code, streamed.json()["title"]) == (
        422,
        "This format cannot be put into that container",
    )


def test_who_may_not(call, prepared):
    stranger = ensure_user("stranger@lab.org")
    for method, path in (
        ("post", "exports/soft/files/?version=v1"),
        ("get", f"files/{prepared}/"),
        ("get", f"files/{prepared}/download/"),
    ):
        assert call(method, path, user=stranger).status_code == 404
    assert call("get", "files/999/").status_code == 404
    assert call("post", "exports/soft/files/?version=v7").status_code == 404
