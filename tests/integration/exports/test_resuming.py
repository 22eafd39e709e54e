"""A prepared file whose worker is killed: the next one goes on at the last mark, and the bytes are the same."""

import fcntl
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from exports.actions import create_snapshot
from exports.choices import parse_choices
from exports.merkle import Merkle
from exports.models import PreparedFile
from exports.prepared import prepare_file, write_prepared
from exports.tasks import write_prepared_file
from tests.integration.exports.made_rows import instance, vote

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)

KILLED = """
import os, signal, sys
from django.conf import settings
database, settings.MEDIA_ROOT, pk, marks = sys.argv[1:]
settings.DATABASES["default"]["NAME"] = database
import django
django.setup()
from exports import resuming, stream
from exports.containers import jsonl
stream.BATCH_BYTES, jsonl.MEMBER, resuming.MARK_BYTES = 20_000, 2, 1
noted, note = [], resuming.note
def counted(*words):
    note(*words)
    noted.append(words)
    if len(noted) == int(marks):
        os.kill(os.getpid(), signal.SIGKILL)
resuming.note = counted
from exports.tasks import write_prepared_file
write_prepared_file(int(pk))
"""


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    """Batches, members and marks so small that a few hundred rows have many."""
    monkeypatch.setattr("exports.stream.BATCH_BYTES", 20_000)
    monkeypatch.setattr("exports.containers.jsonl.MEMBER", 2)
    monkeypatch.setattr("exports.resuming.MARK_BYTES", 1)
    monkeypatch.setattr(settings, "MEDIA_ROOT", tmp_path)


def file_of(project_of, container: str, **given: str) -> PreparedFile:
    texts = [f"Yes, {'indeed ' * 40}.", "No."]
    rows = (instance(f"i{n}", [vote(-1 if n % 3 else 1)], texts=texts) for n in range(600))
    snapshot = create_snapshot(project_of(rows), version="v1", choices=parse_choices({}))
    return prepare_file(snapshot, format="trl-preference", container=container, given=given)


def kill_after(marks: int, file: PreparedFile) -> None:
    """A worker of its own that is killed right after its so-manieth mark."""
    words = [connection.settings_dict["NAME"], settings.MEDIA_ROOT, file.pk, marks]
    done = subprocess.run([sys.executable, "-c", KILLED, *map(str, words)], cwd=ROOT, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()


def beside(file: PreparedFile) -> list[str]:
    return sorted(path.name for path in file.path.parent.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize(
    ("container", "given"),
    [
        ("jsonl", {}),
        ("jsonl", {"order": "hard-first", "deduplicate": "true"}),
        ("jsonl.gz", {"splits": "a=0.5,b=0.5"}),
    ],
)
def test_a_killed_worker_is_followed_by_the_same_bytes(container, given, project_of, monkeypatch):
    file = file_of(project_of, container, **given)
    write_prepared(file)
    whole, held = file.path.read_bytes(), (file.rows, file.hash, file.size)
    file.path.unlink()
    PreparedFile.objects.update(status=PreparedFile.Status.WAITING, rows=None, hash="")
    kill_after(3, file)
    part = file.path.with_name(f".{file.path.name}.part")
    assert (file.path.exists(), len(beside(file))) == (False, 2)
    assert 0 < part.stat().st_size < len(whole)
    with part.open("ab") as torn:
        torn.write(b"half a li")  # what reached the disk after the mark
    hashed = []
    extend = Merkle.extend
    monkeypatch.setattr(Merkle, "extend", lambda tree, rows: (hashed.extend(rows), extend(tree, rows))[1])
    write_prepared_file(file.pk)
    file.refresh_from_db()
    assert file.status == PreparedFile.Status.DONE, file.error
    assert (file.path.read_bytes(), (file.rows, file.hash, file.size)) == (whole, held)
    assert 0 < len(hashed) < file.rows  # the rows before the mark were not done again
    assert beside(file) == []


def test_parquet_starts_over(project_of):
    file = file_of(project_of, "parquet")
    write_prepared(file)
    whole = file.path.read_bytes()
    file.path.rename(file.path.with_name(f".{file.path.name}.part"))
    write_prepared(file)
    assert (file.path.read_bytes(), beside(file)) == (whole, [])


def test_a_second_worker_leaves_the_file_to_the_first(project_of):
    file = file_of(project_of, "jsonl")
    file.path.parent.mkdir(parents=True)
    with file.path.with_name(f".{file.path.name}.part").open("ab") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        write_prepared(file)
        assert (file.status, file.path.exists()) == (PreparedFile.Status.RUNNING, False)
    write_prepared(file)
    assert (file.status, file.rows) == (PreparedFile.Status.DONE, 600)


def test_a_disk_that_fills_up_leaves_no_part(project_of):
    file = file_of(project_of, "jsonl")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
        write_prepared(file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (file.status, "File too large" in file.error) == (PreparedFile.Status.FAILED, True)
    assert list(file.path.parent.iterdir()) == []
