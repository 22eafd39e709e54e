"""Exports' verbs: write an export, stream one, freeze a snapshot."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from django.db import IntegrityError, transaction
from django.utils import timezone
from numpy.typing import NDArray

from accounts.models import User
from exports.choices import Choices
from exports.containers import CONTAINERS, FOLDER
from exports.containers.base import Container
from exports.datasets import Dataset, columns_of, open_live, read
from exports.facts import facts_of
from exports.folders import write_folder
from exports.formats import FORMATS
from exports.formats.base import Format
from exports.formats.columns import is_flat
from exports.merkle import Merkle
from exports.models import Snapshot, pack
from exports.problems import BadChoice, ContainerUnsuited, SnapshotExists, nothing_left
from exports.reading import fetch, one_moment
from exports.selection import Tally
from exports.stream import batches
from exports.writing import write_whole
from ledger.models import Project
from routing.models import Settlement

NATIVE = "trl-preference"  # the format whose rows a snapshot's hash covers


@dataclass
class Export:
    """A running export: its bytes, and what is known once they have all been taken."""

    parts: Iterator[bytes]
    tree: Merkle
    tally: Tally

    def report(self) -> dict[str, Any]:
        return {"rows": self.tree.rows, "hash": self.tree.root(), **self.tally.as_dict()}


def start_export(
    dataset: Dataset, entry: Format, container: Container, *, after: Merkle | None = None
) -> Export:
    """An export whose bytes are read from the database as they are taken. Raises `ContainerUnsuited`.

    `after` holds the rows of an earlier part of the same export; its bytes go on behind them.
    Take the bytes inside `one_moment`.
    """
    columns = columns_of(dataset, entry)
    if container.flat_only and not is_flat(columns):
        raise ContainerUnsuited(
            f"{entry.name} has nested columns here; {container.name} cannot hold them: take parquet.",
            format=entry.name,
            container=container.name,
        )
    rows, tally = read(dataset, entry)
    tree = after or Merkle()
    return Export(container.encode(batches(islice(rows, tree.rows, None), tree), columns), tree, tally)


def write_export(dataset: Dataset, *, format: str, container: str, path: Path) -> dict[str, Any]:
    """Writes the whole file or none; returns {"rows", "hash", "read", "kept", "dropped", …}.

    Raises `UnknownName`, `ContainerUnsuited`, `NothingToExport`, `CannotWrite`.
    """
    entry = FORMATS.load(format)
    if container == FOLDER:
        return write_folder(dataset, entry=entry, path=path)
    box = CONTAINERS.load(container)
    with one_moment():
        export = start_export(dataset, entry, box)
        write_whole(path, refuse_empty(export, entry))
    return export.report()


def stream_export(dataset: Dataset, *, format: str, container: str) -> Iterator[bytes]:
    """The file's bytes, in one consistent moment. Raises before the first byte what `write_export` raises."""
    entry, box = FORMATS.load(format), CONTAINERS.load(container)
    parts = streamed(dataset, entry, box)
    return rejoin(next(parts), parts)


def streamed(dataset: Dataset, entry: Format, container: Container) -> Iterator[bytes]:
    with one_moment():
        export = start_export(dataset, entry, container)
        yield from refuse_empty(export, entry)


def rejoin(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def refuse_empty(export: Export, entry: Format) -> Iterator[bytes]:
    """The export's bytes; raises `NothingToExport` before the first where no row is left."""
    parts = export.parts
    first = next(parts, b"")
    if not export.tree.rows and next(parts, None) is None and not export.tree.rows:
        raise nothing_left(export.tally.as_dict(), format=entry.name, needs=entry.needs)
    yield first
    yield from parts


# ---------------------------------------------------------------- snapshots


def create_snapshot(
    project: Project,
    *,
    version: str,
    choices: Choices,
    author: User | None = None,
    at: datetime | None = None,
) -> Snapshot:
    """Freezes the project as it is now, settled first. Raises `SnapshotExists`.

    The rows, the hash and the ids of what existed are read in one moment.
    """
    if Snapshot.objects.filter(project=project, version=version).exists():
        raise taken(project, version)
    check_version(version)
    dataset = open_live(project, choices)
    with one_moment():
        rows, tally = read(dataset, FORMATS.load(NATIVE))
        tree = Merkle()
        for _ in batches(rows, tree):
            pass  # the tree is all that is wanted
        frozen = frozen_ids(project)
        facts = facts_of(dataset.moment)
    made = Snapshot(
        project=project,
        version=version,
        settlement=Settlement.objects.get(project=project, number=dataset.moment.settlement),
        choices=choices.as_dict(),
        shape=asdict(dataset.shape),
        rows=tree.rows,
        hash=tree.root(),
        manifest={**tally.as_dict(), "facts": facts},
        author=author,
        created=at or timezone.now(),
        **frozen,
    )
    return keep(made)


VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,79}")


def check_version(version: str) -> None:
    if not VERSION.fullmatch(version):
        raise BadChoice(
            f"A version is named in letters, digits and ._+-, at most 80, not {version!r}.", choice="version"
        )


def keep(snapshot: Snapshot) -> Snapshot:
    """Saves a new snapshot; raises `SnapshotExists` where another one took the version meanwhile."""
    try:
        with transaction.atomic():
            snapshot.save(force_insert=True)
    except IntegrityError as error:
        raise taken(snapshot.project, snapshot.version) from error
    return snapshot


def taken(project: Project, version: str) -> SnapshotExists:
    return SnapshotExists(f"{project.slug} has a snapshot {version!r} already.", version=version)


IDS_SQL = {
    "instances": "SELECT id FROM ledger_instance WHERE project_id = %(project)s ORDER BY id",
    "labels": "SELECT id FROM ledger_label WHERE project_id = %(project)s AND superseded IS NULL ORDER BY id",
    "retired": "SELECT id FROM ledger_label WHERE project_id = %(project)s AND superseded IS NOT NULL ORDER BY id",
}


def frozen_ids(project: Project) -> dict[str, bytes]:
    """The packed ids of the instances and labels that exist now."""
    return {name: pack(ids(sql, project)) for name, sql in IDS_SQL.items()}


def ids(sql: str, project: Project) -> NDArray[np.int64]:
    return np.fromiter((row[0] for row in fetch(sql, {"project": project.pk})), np.int64)
