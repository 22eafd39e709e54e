"""Dataset folders: written whole or not at all, card and manifest included; pushed to a hub where asked."""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from exports.cards import card, manifest
from exports.containers.base import Batch
from exports.datasets import Dataset, columns_of, read
from exports.formats.base import Format
from exports.merkle import Merkle
from exports.problems import CannotWrite, nothing_left
from exports.reading import one_moment
from exports.stream import batches
from exports.writing import refused, temporary_beside
from web.registry import Registry

WRITERS = Registry("folder writer", {"parquet": "exports.containers.folder:write_shards"})
NO_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
OURS = "manifest.json"  # what marks a folder as one that an export may replace


def write_folder(
    dataset: Dataset, *, entry: Format, path: Path, tell: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Writes `path`/README.md, manifest.json and data/*.parquet; returns `write_export`'s report and the splits.

    `tell` hears how many rows are written, a batch at a time.

    Raises `NothingToExport`, `CannotWrite` (also where `path` holds something other than an export).
    """
    columns, tree = columns_of(dataset, entry), Merkle()
    with one_moment(), fresh_folder(path) as folder:
        rows, tally = read(dataset, entry)
        splits = WRITERS.load("parquet")(folder, told(batches(rows, tree), tree, tell), columns)
        if not tree.rows:
            raise nothing_left(tally.as_dict(), format=entry.name, needs=entry.needs)
        report = {"rows": tree.rows, "hash": tree.root(), **tally.as_dict()}
        facts = manifest(dataset, entry, report)
        (folder / OURS).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
        (folder / "README.md").write_text(card(facts, entry, splits), encoding="utf-8")
    return {**report, "splits": splits}


def told(parts: Iterable[Batch], tree: Merkle, tell: Callable[[int], None] | None) -> Iterator[Batch]:
    for part in parts:
        yield part
        if tell is not None:
            tell(tree.rows)


def zip_folder(folder: Path, path: Path) -> int:
    """Packs the folder's files into one, and returns its bytes: the same files always give the same bytes."""
    with temporary_beside(path) as beside:
        with zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as packed:
            for file in sorted(each for each in folder.rglob("*") if each.is_file()):
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), date_time=NO_TIME)
                entry.external_attr = 0o644 << 16
                with file.open("rb") as source, packed.open(entry, "w", force_zip64=True) as target:
                    shutil.copyfileobj(source, target)
        size = beside.stat().st_size
        beside.replace(path)
    return size


@contextmanager
def fresh_folder(path: Path) -> Iterator[Path]:
    """An empty folder beside `path` that takes its place at the end; gone where anything goes wrong."""
    if path.exists() and not (path / OURS).is_file() and not (path.is_dir() and not any(path.iterdir())):
        raise CannotWrite(
            f"{path} holds something else: an export folder replaces only another.", path=str(path)
        )
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.mkdir()
        yield beside
        shutil.rmtree(path, ignore_errors=True)
        beside.rename(path)
    except OSError as error:
        raise refused(path, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
