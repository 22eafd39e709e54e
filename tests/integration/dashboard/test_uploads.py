"""Bringing data in through the browser: preview, import, report, refusals, large files by a worker."""

import gzip
import io

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from dashboard.models import Upload
from dashboard.tasks import import_upload
from dashboard.views import imports
from ledger.models import Instance, Label
from tests.makers import make_row

PATH = "/projects/words/import/"


def upload(client, name: str, data: bytes):
    return client.post(PATH, {"file": SimpleUploadedFile(name, data)}, follow=True)


def jsonl(*rows) -> bytes:
    return b"\n".join(orjson.dumps(row) if isinstance(row, dict) else row for row in rows)


def becomes(answer) -> dict[str, str]:
    return {column.name: column.becomes for column in answer.context["preview"].columns}


# ---------------------------------------------------------------- preview


def test_the_preview_shows_mapping_and_instances_and_writes_nothing(project, admin):
    row = make_row(
        7, human=[{"annotator": "x", "task": "pairwise", "aspect": "overall", "value": 1}], topic="tea"
    )
    answer = upload(admin, "rows.jsonl", jsonl(row, b"not json"))
    page = answer.content.decode()
    assert becomes(answer) == {
        "id": "the instance's id",
        "prompt": "prompt",
        "responses": "responses",
        "human": "labels by people",
        "topic": "metadata",
    }
    assert "Answer 0 to 7." in page and "Question 7?" in page
    assert "line 2" in page and "Not JSON" in page
    assert Instance.objects.count() == 3 and not Label.objects.exists()


def test_chosen_and_rejected(project, admin):
    answer = upload(
        admin, "pairs.jsonl", jsonl({"prompt": "p", "chosen": "good", "rejected": "bad", "source": "ai"})
    )
    assert becomes(answer) == {
        "prompt": "prompt",
        "chosen": "response 1, preferred",
        "rejected": "response 2",
        "source": "metadata; “ai” makes the label a judge's",
    }


def test_a_table_plain_zipped_and_as_parquet(project, admin):
    csv = b"question,response_b,response_a,model_a,topic\nWhy?,No.,Yes.,gpt,tea\n"
    frame = pa.table(
        {
            "question": ["Why?"],
            "response_b": ["No."],
            "response_a": ["Yes."],
            "model_a": ["gpt"],
            "topic": ["tea"],
        }
    )
    sink = io.BytesIO()
    pq.write_table(frame, sink)
    files = {"a.csv": csv, "a.csv.gz": gzip.compress(csv), "a.parquet": sink.getvalue()}
    for name, data in files.items():
        answer = upload(admin, name, data)
        assert becomes(answer) == {
            "question": "prompt",
            "response_b": "response 2",
            "response_a": "response 1",
            "model_a": "the model of a response",
            "topic": "metadata",
        }, name


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.jsonl", b"", "The submitted file is empty."),
        ("image.png", b"\x89PNG\r\n\x00\x00", "is not a text file"),
        ("cut.jsonl.gz", gzip.compress(jsonl(make_row(1)))[:-9], "is damaged"),
    ],
)
def test_what_cannot_be_read_is_refused(project, admin, name, data, said):
    answer = upload(admin, name, data)
    assert said in answer.content.decode()
    assert answer.status_code == 422
    assert Instance.objects.count() == 3


def test_too_large_is_refused(project, admin, settings):
    settings.UPLOAD_LIMIT_BYTES = 100
    assert upload(admin, "big.jsonl", b"x" * 101).status_code == 413
    assert not Upload.objects.exists()


# ---------------------------------------------------------------- import


def test_an_import_reports_what_came_in(project, admin):
    rows = [
        make_row(1),
        make_row(8),
        b"{",
        {"id": "i2", "prompt": "other", "responses": [{"text": "a"}, {"text": "b"}]},
    ]
    upload(admin, "rows.jsonl", jsonl(*rows))
    made = Upload.objects.get()
    page = admin.post(f"{PATH}{made.pk}/start/", follow=True).content.decode()
    made.refresh_from_db()
    assert (made.status, made.bad_lines) == (Upload.Status.DONE, 2)
    assert made.report["imported"] == 1 and made.report["duplicates"] == 1
    assert [bad["line"] for bad in made.report["errors"]] == [3, 4]
    assert "The id &#x27;i2&#x27; is taken by an instance with other content." in page
    assert not made.file  # the upload is dropped once it is in the ledger


def test_two_clicks_are_one_import(project, admin):
    upload(admin, "rows.jsonl", jsonl(make_row(8)))
    made = Upload.objects.get()
    assert admin.post(f"{PATH}{made.pk}/start/").status_code == 302
    assert admin.post(f"{PATH}{made.pk}/start/").status_code == 409
    assert Instance.objects.count() == 4


def test_a_large_file_is_imported_by_a_worker_with_progress(
    project, admin, monkeypatch, django_capture_on_commit_callbacks, eager_tasks
):
    monkeypatch.setattr(imports, "INLINE_BYTES", 10)
    upload(admin, "rows.jsonl", jsonl(*(make_row(number) for number in range(3, 50))))
    made = Upload.objects.get()
    admin.post(f"{PATH}{made.pk}/start/")
    made.refresh_from_db()
    assert made.status == Upload.Status.QUEUED
    moving = admin.get(f"{PATH}{made.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in moving and 'hx-trigger="every 1s"' in moving and "<progress" in moving
    import_upload(made.pk)
    import_upload(made.pk)  # twice equals once
    still = admin.get(f"{PATH}{made.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "hx-trigger" not in still
    assert Instance.objects.count() == 50


def test_an_upload_can_be_dropped(project, admin):
    upload(admin, "rows.jsonl", jsonl(make_row(8)))
    admin.post(f"{PATH}{Upload.objects.get().pk}/discard/")
    assert not Upload.objects.exists() and Instance.objects.count() == 3


def test_an_archived_project_takes_nothing_in(project, admin):
    upload(admin, "rows.jsonl", jsonl(make_row(8)))
    admin.post("/projects/words/settings/archive/")
    answer = admin.post(f"{PATH}{Upload.objects.get().pk}/start/")
    assert answer.status_code == 409
    assert Instance.objects.count() == 3
