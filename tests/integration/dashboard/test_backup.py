"""backup and restore: the way there and back, and what is refused."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from ledger.actions import create_project
from ledger.models import Project

pytestmark = pytest.mark.django_db(transaction=True)


def run(*words: str) -> dict:
    out = io.StringIO()
    call_command(*map(str, words), "--json", "-", stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def media(settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media" / "uploads").mkdir(parents=True)
    return tmp_path / "media"


@pytest.fixture
def project(media) -> Project:
    """A project and an uploaded file."""
    (media / "uploads" / "a.jsonl").write_bytes(b"\x00one\n")
    owner = User.objects.create_superuser(email="owner@example.org", password="x" * 12)
    return create_project(slug="kept", template="multipref", owner=owner)


def test_what_was_deleted_comes_back(project, media, tmp_path):
    path = tmp_path / "yard.zip"
    written = run("backup", path)
    assert (written["projects"], written["labels"], written["media_files"]) == (1, 0, 1)
    assert written["bytes"] == path.stat().st_size

    Project.objects.all().delete()
    (media / "uploads" / "a.jsonl").unlink()
    (media / "later.txt").write_text("made after the backup")
    assert run("restore", path)["projects"] == 1

    restored = Project.objects.get()
    assert (restored.slug, restored.aspects.count()) == ("kept", 4)
    assert User.objects.get().check_password("x" * 12)
    assert [found.name for found in media.rglob("*") if found.is_file()] == ["a.jsonl"]
    assert (media / "uploads" / "a.jsonl").read_bytes() == b"\x00one\n"


def test_rules_of_the_database_survive_the_way(project, tmp_path):
    run("backup", tmp_path / "yard.zip")
    run("restore", tmp_path / "yard.zip", "--replace")
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal")
        assert cursor.fetchone()[0] >= 1


def test_existing_projects_are_not_replaced_unasked(project, tmp_path):
    run("backup", tmp_path / "yard.zip")
    Project.objects.update(name="Changed since")
    with pytest.raises(CommandError, match="--replace deletes them"):
        run("restore", tmp_path / "yard.zip")
    assert Project.objects.get().name == "Changed since"
    run("restore", tmp_path / "yard.zip", "--replace")
    assert Project.objects.get().name == project.name


def test_a_file_that_is_no_backup_is_refused(project, tmp_path):
    (tmp_path / "text.zip").write_text("not a zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("hello", "x")
    with zipfile.ZipFile(tmp_path / "newer.zip", "w") as packed:
        packed.writestr("manifest.json", '{"format": 2}')
    for name, message in {
        "text.zip": "is not a Switchyard backup",
        "other.zip": "is not a Switchyard backup",
        "newer.zip": "has the format 2; this version reads 1",
        "missing.zip": "There is no file",
    }.items():
        with pytest.raises(CommandError, match=message):
            run("restore", tmp_path / name, "--replace")
    assert Project.objects.get().slug == "kept"


def test_a_damaged_dump_changes_nothing(project, media, tmp_path):
    run("backup", tmp_path / "yard.zip")
    with zipfile.ZipFile(tmp_path / "yard.zip") as packed, zipfile.ZipFile(tmp_path / "bad.zip", "w") as bad:
        bad.writestr("manifest.json", packed.read("manifest.json"))
        bad.writestr("database.dump", packed.read("database.dump")[:2000])
    with pytest.raises(CommandError, match="pg_restore"):
        run("restore", tmp_path / "bad.zip", "--replace")
    assert Project.objects.get().slug == "kept"
    assert (media / "uploads" / "a.jsonl").exists()


def test_a_backup_into_no_folder_is_refused(project, tmp_path):
    with pytest.raises(CommandError, match="There is no folder"):
        run("backup", tmp_path / "nowhere" / "yard.zip")
    assert list(tmp_path.glob("**/*.zip*")) == []
