"""Prepared files, a version's card and manifest, and traces, through their pages."""

import io
import json
import zipfile

import pytest
from django.http import QueryDict

from dashboard.choices import chosen, controls, groups
from exports.choices import Choices
from exports.models import PreparedFile, Snapshot
from tests.integration.dashboard.conftest import say

PATH = "/projects/words/exports/"


@pytest.fixture
def settled(project):
    say(project, "ann", {"i0": -1, "i1": 1, "i2": 0})
    return project


@pytest.fixture
def prepare(admin, settled, eager_tasks, django_capture_on_commit_callbacks):
    """`prepare(container=…)` posts the form's button and has the worker's task run."""

    def send(**given):
        with django_capture_on_commit_callbacks(execute=True):
            return admin.post(
                f"{PATH}prepare/", {"format": "soft", "container": "jsonl", **given}, follow=True
            )

    return send


def body(answer):
    return b"".join(answer.streaming_content)


def test_every_choice_stands_in_a_group_of_the_form():
    made = groups(controls({"ties": "soft", "seed": "0"}))
    assert sorted(each.name for group in made for each in group.controls) == sorted(Choices().as_dict())
    assert "further" not in [group.name for group in made]
    assert {group.name: group.changed for group in made} == {"labels": 1, "pairs": 0, "texts": 0, "order": 0}


def test_preparing_what_is_live_freezes_it_first(prepare, admin):
    page = prepare(ties="soft", freeze="")
    snapshot, file = Snapshot.objects.get(), PreparedFile.objects.get()
    assert (snapshot.choices["ties"], snapshot.rows, file.status, file.rows) == ("soft", 3, "done", 3)
    assert f"A worker writes {snapshot.version}" in page.content.decode()
    answer = admin.get(f"{PATH}files/{file.pk}/")
    whole = body(answer)
    assert whole.count(b"\n") == 3
    part = admin.get(f"{PATH}files/{file.pk}/", headers={"Range": "bytes=10-", "If-Range": answer["ETag"]})
    assert (part.status_code, body(part)) == (206, whole[10:])
    assert admin.get(f"{PATH}files/{file.pk}/", headers={"If-None-Match": answer["ETag"]}).status_code == 304


def test_a_folder_of_a_version_comes_as_one_zip(prepare, admin):
    admin.post(f"{PATH}snapshot/", {"freeze": "v1"})
    prepare(version="v1", container="folder", splits="train=0.5,test=0.5")
    file = PreparedFile.objects.get()
    assert (Snapshot.objects.count(), file.choices) == (1, {"splits": "train=0.5,test=0.5"})
    with zipfile.ZipFile(io.BytesIO(body(admin.get(f"{PATH}files/{file.pk}/")))) as packed:
        assert {"README.md", "manifest.json"} < set(packed.namelist())


def test_a_folder_is_not_streamed_and_the_page_says_so(admin, settled):
    answer = admin.get(f"{PATH}download/", {"format": "soft", "container": "folder"})
    assert answer.status_code == 422
    assert "A dataset folder is no stream" in answer.content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ties=soft&where=", {"ties": "soft"}),  # an address: what it names
        ("shown=&version=&ties=drop&where=", {"ties": "drop", "where": "", "deduplicate": "false"}),
        ("shown=&version=v1&ties=drop&seed=0&min_margin=1", {"min_margin": "1"}),  # v1's own ties stay
        ("shown=v1&version=v1&ties=drop&deduplicate=true", {"ties": "drop", "deduplicate": "true"}),
    ],
)
def test_what_a_form_names(query, expected):
    assert chosen(QueryDict(query)) == expected


def test_a_versions_own_choices_are_kept_and_shown(admin, settled):
    admin.post(f"{PATH}snapshot/", {"freeze": "v1", "ties": "soft"})
    untouched = {
        "version": "v1",
        "shown": "",
        "format": "trl-preference",
        "ties": "drop",
        "labels": "settled",
    }
    assert body(admin.get(f"{PATH}download/", untouched)).count(b"\n") == 3
    page = admin.get(PATH, {"version": "v1"})
    ties = next(c for group, _ in page.context["groups"] for c in group.controls if c.name == "ties")
    assert ties.value == "soft"
    narrowed = admin.get(f"{PATH}download/", {**untouched, "shown": "v1"})
    assert body(narrowed).count(b"\n") == 2


def test_what_cannot_be_prepared_is_said(prepare, admin):
    assert "There is no export format named" in prepare(format="sofft").content.decode()
    assert "has a snapshot" in (prepare(freeze="v1"), prepare(freeze="v1"))[1].content.decode()
    prepare(format="edits", freeze="v2")
    page = admin.get(PATH).content.decode()
    assert "it needs an edit that changes a response" in page
    assert PreparedFile.objects.filter(status="failed").count() == 1


def test_the_list_looks_again_while_a_file_is_written(prepare, admin):
    prepare()
    still = admin.get(PATH).content.decode()
    assert 'hx-trigger="every 2s"' not in still
    PreparedFile.objects.update(status=PreparedFile.Status.RUNNING, rows=None)
    moving = admin.get(f"{PATH}files/", headers={"HX-Request": "true"}).content.decode()
    assert 'hx-trigger="every 2s"' in moving and "<progress" in moving and "<html" not in moving
    assert admin.get(f"{PATH}files/").status_code == 302


def test_a_version_shows_its_card_and_gives_its_manifest(admin, settled):
    admin.post(f"{PATH}snapshot/", {"freeze": "v1", "min_margin": "0.5"})
    snapshot = Snapshot.objects.get()
    page = admin.get(f"{PATH}versions/v1/").content.decode()
    for said in (snapshot.hash, "Known biases", "min_margin", "Dropped: tie"):
        assert said in page
    assert "pretty_name" not in page
    manifest = json.loads(admin.get(f"{PATH}versions/v1/manifest.json").content)
    assert (manifest["hash"], manifest["rows"], manifest["dropped"]) == (snapshot.hash, 2, {"tie": 1})
    assert admin.get(f"{PATH}versions/v1/card.md").content.decode().startswith("---\npretty_name:")
    assert admin.get(f"{PATH}versions/v9/").status_code == 404


def test_a_row_of_the_preview_leads_to_its_labels(admin, settled):
    page = admin.get(PATH, {"preview": "1", "format": "trl-preference"})
    columns = [dict(row) for row in page.context["preview"]["rows"]]
    row = columns[0]["row"]
    assert f"{PATH}trace/?row={row.replace('/', '%2F')}" in page.content.decode()
    traced = admin.get(f"{PATH}trace/", {"row": row})
    assert [verdict.label.rater.name for verdict in traced.context["verdicts"]] == ["ann"]
    assert "response 1 preferred" in traced.content.decode()


@pytest.mark.parametrize(
    ("row", "said"), [("nonsense", "is not a row id"), ("words/overall/0-1/zz", "there is no instance"),
                      ("other/overall/0-1/i0", "a row of another project")],
)  # fmt: skip
def test_a_row_that_is_none_is_refused(row, said, admin, settled):
    answer = admin.get(f"{PATH}trace/", {"row": row})
    assert answer.status_code == 404
    assert said in answer.content.decode()


def test_another_projects_file_is_not_there(prepare, admin, client, settled):
    prepare()
    file = PreparedFile.objects.get()
    assert client.get(f"{PATH}files/{file.pk}/").status_code in (302, 404)
    assert admin.get(f"/projects/nope/exports/files/{file.pk}/").status_code == 404
