"""Prepared files: asked for once, written by a worker, the same bytes as the stream."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from accounts.models import User
from exports.actions import refuse_empty, start_export
from exports.containers import CONTAINERS, FOLDER
from exports.datasets import Dataset, open_snapshot
from exports.folders import write_folder, zip_folder
from exports.formats import FORMATS
from exports.formats.base import Format
from exports.merkle import Merkle
from exports.models import PreparedFile, Snapshot
from exports.problems import NotReady
from exports.reading import one_moment
from exports.resuming import held_part
from web.problems import Problem

EVERY = 5_000  # rows between two reports of progress
KEPT = 24 * 3600  # seconds that a progress is remembered


def tag_of(snapshot: Snapshot, format: str, container: str, given: Mapping[str, Any]) -> str:
    """Names the bytes of a snapshot's file, which follow from these alone."""
    facts = repr((snapshot.pk, snapshot.hash, format, container, sorted(given.items())))
    return sha256(facts.encode()).hexdigest()[:32]


def prepare_file(
    snapshot: Snapshot, *, format: str, container: str, given: Mapping[str, Any], author: User | None = None
) -> PreparedFile:
    """The snapshot's file, there already or waiting to be written; asking again makes no second one.

    A file that failed waits again. The caller enqueues what waits. Raises `UnknownName`, `BadChoice`.
    """
    FORMATS.load(format)
    if container != FOLDER:
        CONTAINERS.load(container)
    open_snapshot(snapshot, given)
    file, made = PreparedFile.objects.get_or_create(
        tag=tag_of(snapshot, format, container, given),
        defaults={
            "snapshot": snapshot,
            "format": format,
            "container": container,
            "choices": dict(given),
            "author": author,
        },
    )
    lost = file.status == PreparedFile.Status.DONE and not file.path.exists()
    if made or lost or file.status == PreparedFile.Status.FAILED:
        file.status, file.error = PreparedFile.Status.WAITING, ""
        file.save(update_fields=["status", "error"])
    return file


def write_prepared(file: PreparedFile, *, at: datetime | None = None) -> PreparedFile:
    """Writes the file; writing it twice gives the same bytes, so a task that is run again does no harm.

    A refusal is kept on the row; anything else is a bug and comes through.
    """
    file.status = PreparedFile.Status.RUNNING
    file.save(update_fields=["status"])
    try:
        report = write_bytes(file)
    except NotReady:
        return file  # another worker is at it
    except Problem as problem:
        file.status, file.error = PreparedFile.Status.FAILED, problem.detail
    else:
        file.status = PreparedFile.Status.DONE
        file.rows, file.hash, file.size = report["rows"], report["hash"], report["size"]
    file.finished = at or timezone.now()
    file.save()
    return file


def write_bytes(file: PreparedFile) -> dict[str, Any]:
    dataset = open_snapshot(file.snapshot, file.choices)
    file.path.parent.mkdir(parents=True, exist_ok=True)
    entry = FORMATS.load(file.format)
    if file.container == FOLDER:
        return write_packed(file, dataset, entry)
    box = CONTAINERS.load(file.container)
    with held_part(file.path, resumes=box.resumes) as part, one_moment():
        export = start_export(dataset, entry, box, after=part.mark.tree())
        size = part.write(watched(file, refuse_empty(export, entry), export.tree), export.tree)
    return {**export.report(), "size": size}


def write_packed(file: PreparedFile, dataset: Dataset, entry: Format) -> dict[str, Any]:
    """The dataset folder as one zip: what the Hugging Face hub or `load_dataset` takes once it is unpacked."""
    key = progress_key(file)
    with TemporaryDirectory(dir=file.path.parent) as scratch:
        folder = Path(scratch) / "dataset"
        report = write_folder(dataset, entry=entry, path=folder, tell=lambda rows: cache.set(key, rows, KEPT))
        return {**report, "size": zip_folder(folder, file.path)}


def watched(file: PreparedFile, parts: Iterator[bytes], tree: Merkle) -> Iterator[bytes]:
    """The parts, with the rows so far told to the cache now and then (the database is only read meanwhile)."""
    told = 0
    for part in parts:
        if tree.rows - told >= EVERY:
            told = tree.rows
            cache.set(progress_key(file), told, KEPT)
        yield part


def progress_key(file: PreparedFile) -> str:
    return f"exports:progress:{file.pk}"


def progress_of(file: PreparedFile) -> dict[str, Any]:
    """How far the file is: {"id", "status", "rows", "of", "size", "hash", "error"}."""
    done = file.rows if file.rows is not None else cache.get(progress_key(file), 0)
    return {
        "id": file.pk,
        "version": file.snapshot.version,
        "format": file.format,
        "container": file.container,
        "status": file.status,
        "rows": done,
        "of": file.snapshot.rows,
        "size": file.size,
        "hash": file.hash or None,
        "error": file.error or None,
    }
