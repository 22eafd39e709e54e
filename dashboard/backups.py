"""Everything a Switchyard keeps, in one file: the database as pg_dump writes it, and the media.

The file is a zip archive of `manifest.json`, `database.dump` and `media/…`. The secret key is not in it:
whoever finds a backup must not be able to sign sessions with it.
"""

import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, connections

from ledger.models import Label, Project
from web.problems import Conflict, Invalid, NotFound, Problem

FORMAT = 1
MANIFEST, DUMP, MEDIA = "manifest.json", "database.dump", "media/"
LOCK_PATIENCE = "30s"


class ToolFailed(Problem):
    status, code, title = 500, "tool-failed", "A PostgreSQL tool failed"


def write_backup(path: Path, *, at: datetime) -> dict[str, Any]:
    """Write the backup to `path`, whole or not at all; returns what is in it."""
    if not path.parent.is_dir():
        raise NotFound(f"There is no folder {path.parent}.")
    manifest = {"format": FORMAT, "created": at.isoformat(), **_counts()}
    partial = path.with_name(path.name + ".partial")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            dump = Path(scratch) / DUMP
            _tool("pg_dump", "--format=custom", f"--file={dump}", _database())
            _pack(partial, dump=dump, manifest=manifest)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return {**manifest, "path": str(path), "bytes": path.stat().st_size}


def restore_backup(path: Path, *, replace: bool) -> dict[str, Any]:
    """Put the database and the media back as `path` holds them; a failure leaves the database as it was.

    Refuses to replace existing projects unless `replace`. Migrations that are newer than the backup run
    afterwards; the cache and the queue, which speak of the old rows, are emptied.
    """
    manifest = read_manifest(path)
    if not replace and Project.objects.exists():
        raise Conflict("There are projects here already; --replace deletes them and restores the backup.")
    with tempfile.TemporaryDirectory() as scratch, zipfile.ZipFile(path) as packed:
        _load(Path(packed.extract(DUMP, scratch)))
        _replace_media(packed)
    connections.close_all()
    call_command("migrate", interactive=False, verbosity=0)
    cache.clear()
    return {**manifest, "path": str(path)}


def read_manifest(path: Path) -> dict[str, Any]:
    """What a backup says of itself; refuses whatever is not an intact backup."""
    try:
        with zipfile.ZipFile(path) as packed:
            broken = packed.testzip()
            manifest = json.loads(packed.read(MANIFEST))
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except (zipfile.BadZipFile, KeyError, IsADirectoryError, json.JSONDecodeError) as error:
        raise Invalid(f"{path} is not a Switchyard backup.") from error
    if broken is not None:
        raise Invalid(f"{path} is damaged: {broken} does not match its checksum.")
    if manifest.get("format") != FORMAT:
        raise Invalid(f"{path} has the format {manifest.get('format')}; this version reads {FORMAT}.")
    return manifest


def _counts() -> dict[str, int]:
    return {
        "projects": Project.objects.count(),
        "labels": Label.objects.count(),
        "media_files": sum(1 for _ in _media_files()),
    }


def _media_files() -> Iterator[Path]:
    return (found for found in sorted(Path(settings.MEDIA_ROOT).rglob("*")) if found.is_file())


def _pack(target: Path, *, dump: Path, manifest: dict[str, Any]) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(MANIFEST, json.dumps(manifest, indent=2))
        packed.write(dump, DUMP, compress_type=zipfile.ZIP_STORED)  # pg_dump has compressed it
        for found in _media_files():
            packed.write(found, MEDIA + found.relative_to(settings.MEDIA_ROOT).as_posix())


def _load(dump: Path) -> None:
    """Replace the schema in one transaction; gives up where others hold its tables for LOCK_PATIENCE."""
    script = dump.with_suffix(".sql")
    fresh = f"SET lock_timeout = '{LOCK_PATIENCE}';\nDROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n"
    with script.open("w") as words:
        words.write(fresh)
        words.flush()
        _tool("pg_restore", "--no-owner", "--no-privileges", "--file=-", str(dump), output=words)
    steady = ["--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    _tool("psql", *steady, f"--file={script}", _database())


def _replace_media(packed: zipfile.ZipFile) -> None:
    """Unpack the media inside their folder, which may be a mount, then put them in the place of the old."""
    root = Path(settings.MEDIA_ROOT)
    fresh = root / ".restored"
    fresh.mkdir(parents=True, exist_ok=True)
    names = [name for name in packed.namelist() if name.startswith(MEDIA)]
    packed.extractall(fresh, members=names)  # zipfile keeps every member below the folder
    for old in root.iterdir():
        if old.is_dir() and old != fresh:
            shutil.rmtree(old)
        elif old != fresh:
            old.unlink()
    for new in (fresh / MEDIA).glob("*"):
        new.rename(root / new.name)
    shutil.rmtree(fresh)


def _database() -> str:
    """The connection string of Django's database, without its password."""
    facts = connection.settings_dict
    named = {"dbname": "NAME", "host": "HOST", "port": "PORT", "user": "USER"}
    return " ".join(f"{key}='{facts[name]}'" for key, name in named.items() if facts[name])


def _tool(name: str, *words: str, output: Any = None) -> None:
    """Run one of PostgreSQL's own tools; its last words become the refusal where it fails."""
    password = connection.settings_dict["PASSWORD"]
    done = subprocess.run(
        [str(Path(settings.POSTGRES_BIN) / name), *words], stdout=output, stderr=subprocess.PIPE, text=True,
        env={"PGPASSWORD": password} if password else {}, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ToolFailed(f"{name}: {done.stderr.strip()[-500:]}")
