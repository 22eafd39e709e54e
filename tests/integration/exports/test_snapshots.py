"""Snapshots: the same bytes again, from another process, with labels arriving in between; what is refused."""

import io
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from exports.models import Snapshot
from ledger.actions import NewLabel, ensure_rater, write_labels
from ledger.models import Instance, Rater
from tests.integration.exports.made_rows import instance, marked_up, vote, votes

ROOT = Path(__file__).resolve().parents[3]


def run(*words):
    out = io.StringIO()
    call_command(*map(str, words), "--json", "-", stdout=out)
    return json.loads(out.getvalue())


HERE = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv.pop(1)
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""


def elsewhere(*words):
    """The same command in a process of its own, on the test's database."""
    done = subprocess.run(
        [sys.executable, "-c", HERE, connection.settings_dict["NAME"], *map(str, words), "--json", "-"],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("format", ["trl-preference", "ledger", "trl-prompt-only"])
def test_two_processes_export_the_same_bytes_whatever_came_in_between(format, project_of, tmp_path):
    project = project_of(votes(), slug="frozen")
    frozen = run("snapshot", "frozen", "--version", "v1")
    first, again = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    one = run("export", "frozen", "--format", format, "--version", "v1", "--output", first)
    rater = ensure_rater(project, kind=Rater.Kind.PERSON, name="late")
    for each in Instance.objects.of(project):
        write_labels(
            project=project,
            rater=rater,
            labels=[NewLabel(instance=each, aspect=project.aspects.get(), value={"strength": -1})],
        )
    ann = Rater.objects.get(project=project, name="ann")
    changed = NewLabel(
        instance=project.instances.first(), aspect=project.aspects.get(), value={"strength": 0}
    )
    write_labels(project=project, rater=ann, labels=[changed])
    call_command("consensus", "frozen", stdout=io.StringIO())
    two = elsewhere("export", "frozen", "--format", format, "--version", "v1", "--output", again)
    assert (one["rows"], one["hash"]) == (two["rows"], two["hash"])
    assert first.read_bytes() == again.read_bytes()
    assert one["hash"] == frozen["hash"] or format != "trl-preference"
    live = run("export", "frozen", "--format", format, "--output", tmp_path / "live.jsonl")
    assert live["hash"] != one["hash"] or format == "trl-prompt-only"


@pytest.mark.django_db
def test_a_snapshot_keeps_its_choices(project_of, tmp_path):
    project_of([*votes(), instance("tie", [vote(0)])], slug="kept")
    frozen = run("snapshot", "kept", "--version", "v1", "--ties", "soft")
    assert frozen["rows"] == 11
    path = tmp_path / "rows.jsonl"
    assert (
        run("export", "kept", "--format", "trl-preference", "--version", "v1", "--output", path)["rows"] == 11
    )
    narrowed = ("--version", "v1", "--ties", "drop", "--output", path)
    assert run("export", "kept", "--format", "trl-preference", *narrowed)["rows"] == 10


@pytest.mark.django_db
def test_a_version_is_taken_once(project_of):
    project_of(votes(), slug="once")
    run("snapshot", "once", "--version", "v1")
    with pytest.raises(CommandError, match="once has a snapshot 'v1' already"):
        run("snapshot", "once", "--version", "v1")
    with pytest.raises(CommandError, match="A version is named in letters"):
        run("snapshot", "once", "--version", "../v2")
    assert Snapshot.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "trl-preferences"], "There is no export format named 'trl-preferences'. Did you mean"),
        (
            ["--format", "trl-preference", "--version", "v2"],
            "There is no version named 'v2'. Did you mean 'v1'",
        ),
        (["--format", "trl-preference", "--min-margin", "9"], "Nothing can be exported as trl-preference"),
        (["--format", "ratings"], "it needs a rating aspect"),
        (["--format", "trl-preference", "--container", "zip"], "There is no container named 'zip'"),
        (
            ["--format", "soft", "--aspect", "ovrall"],
            "There is no aspect named 'ovrall'. Did you mean 'overall'",
        ),
        (["--format", "soft", "--consensus", "majorty"], "majorty"),
        (["--format", "soft", "--max-tokens", "5"], "max_tokens needs a tokenizer"),
        (["--format", "soft", "--max-tokens", "5", "--tokenizer", "/nowhere/at/all"], "cannot be loaded"),
    ],
)
def test_what_is_refused_leaves_no_file(words, message, project_of, tmp_path):
    project_of(votes(), slug="bad")
    run("snapshot", "bad", "--version", "v1")
    with pytest.raises(CommandError, match=message):
        run("export", "bad", *words, "--output", tmp_path / "rows.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_a_disk_that_fills_up_leaves_the_old_file_and_no_other(project_of, tmp_path):
    project_of(votes(), slug="full")
    path = tmp_path / "rows.jsonl"
    run("export", "full", "--format", "soft", "--output", path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(
            resource.RLIMIT_FSIZE, (len(before) // 2, limits[1])
        )  # writing on fails, as on a full disk
        with pytest.raises(CommandError, match=r"rows.jsonl cannot be written: File too large"):
            run("export", "full", "--format", "soft", "--output", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (before, [path])


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["missing/rows.jsonl", "file/rows.jsonl"])
def test_a_folder_that_is_not_there_is_named(place, project_of, tmp_path):
    project_of(votes(), slug="lost")
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="rows.jsonl cannot be written"):
        run("export", "lost", "--format", "soft", "--output", tmp_path / place)


@pytest.mark.django_db
def test_a_row_is_traced_to_its_labels(project_of, export_rows):
    project = project_of([instance("a/b", [vote(1, "ann"), vote(1, "bob")])], slug="traced")
    (row,) = export_rows(project, "trl-preference")
    found = run("trace", row["row"])
    assert [(label["rater"], label["value"]) for label in found["labels"]] == [
        ("ann", {"strength": 1}),
        ("bob", {"strength": 1}),
    ]
    with pytest.raises(CommandError, match="there is no instance 'zz'"):
        run("trace", "traced/overall/0-1/zz")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "format", ["trl-stepwise", "edits", "masked", "disaggregated", "soft", "multi-aspect"]
)
def test_a_row_of_any_format_is_traced(format, project_of, export_rows):
    project = marked_up(project_of)
    for row in export_rows(project, format):
        found = run("trace", row["row"])
        assert found["instance"] == row["instance"]
        assert found["labels"]
        call_command("trace", row["row"], stdout=io.StringIO())


@pytest.mark.django_db
def test_a_marked_row_is_traced_as_a_snapshot_saw_it(project_of, export_rows):
    project = marked_up(project_of)
    rater = Rater.objects.get(project=project, name="cy@lab.org")
    (row, *_) = export_rows(project, "edits")
    run("snapshot", project.slug, "--version", "v1")
    later = NewLabel(
        instance=project.instances.get(ref=row["instance"]),
        aspect=project.aspects.get(name="edit"),
        value={"edits": {"0": {"text": "No, indeed.", "diff": [["-", "Yes."], ["+", "No, indeed."]]}}},
    )
    write_labels(project=project, rater=rater, labels=[later])
    texts = [
        run("trace", row["row"], *version)["labels"][0]["value"]["edits"]["0"]["text"]
        for version in ((), ("--version", "v1"))
    ]
    assert texts == ["No, indeed.", "Yes, indeed."]


@pytest.mark.django_db
def test_snapshots_are_compared(project_of):
    project = project_of(votes(), slug="moves")
    run("snapshot", "moves", "--version", "v1")
    ann = Rater.objects.get(project=project, name="ann")
    aspect = project.aspects.get()
    for ref, strength in (("i0", 1), ("i1", 0)):
        label = NewLabel(instance=project.instances.get(ref=ref), aspect=aspect, value={"strength": strength})
        write_labels(project=project, rater=ann, labels=[label])
    run("snapshot", "moves", "--version", "v2")
    found = run("compare_snapshots", "moves", "v1", "v2")
    assert (found["added"]["count"], found["removed"]["count"], found["changed"]["count"]) == (0, 1, 1)
    assert found["changed"]["why"] == {"preference reversed": 1}
    assert found["labels"] == {"added": 2, "retired": 2}


@pytest.mark.django_db
def test_a_folder_carries_card_manifest_and_splits(project_of, tmp_path):
    project_of(votes(), slug="shelf")
    run("snapshot", "shelf", "--version", "v1")
    folder = tmp_path / "set"
    words = ("--version", "v1", "--splits", "train=0.5,test=0.5", "--output", f"{folder}/")
    report = run("export", "shelf", "--format", "trl-preference", *words)
    assert sum(report["splits"].values()) == report["rows"] == 10
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["hash"], manifest["version"], manifest["facts"]["raters"]["kinds"]) == (
        report["hash"],
        "v1",
        {"person": {"raters": 1, "labels": 10}},
    )
    card = (folder / "README.md").read_text()
    assert card.startswith("---\npretty_name: shelf\n")
    assert report["hash"] in card
    assert run("export", "shelf", "--format", "trl-preference", *words) == report
    (folder / "manifest.json").unlink()
    with pytest.raises(CommandError, match="holds something else"):
        run("export", "shelf", "--format", "trl-preference", *words)
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


@pytest.mark.django_db
def test_a_file_gets_a_manifest_and_a_card_where_they_are_asked_for(project_of, tmp_path):
    project_of(votes(), slug="told")
    names = {name: tmp_path / name for name in ("rows.jsonl", "facts.json", "card.md")}
    rows, facts, card = names.values()
    report = run("export", "told", "--format", "soft", "--output", rows, "--manifest", facts, "--card", card)
    assert json.loads(facts.read_text())["hash"] == report["hash"]
    assert report["hash"] in card.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)


@pytest.mark.django_db
def test_pushing_needs_a_folder_and_a_token(project_of, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    project_of(votes(), slug="push")
    with pytest.raises(CommandError, match="no dataset folder"):
        run("export", "push", "--format", "soft", "--output", tmp_path / "rows.jsonl", "--push", "me/set")
    with pytest.raises(CommandError, match="No token is set"):
        run("export", "push", "--format", "soft", "--output", f"{tmp_path}/set/", "--push", "me/set")
