"""Dataset folders: written whole or not at all, card and manifest included; pushed to a hub where asked."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from exports.cards import card, manifest
from exports.datasets import Dataset, columns_of, read
from exports.formats.base import Format
from exports.merkle import Merkle
from exports.problems import CannotWrite, nothing_left
from exports.reading import one_moment
from exports.stream import batches
from exports.writing import refused
from web.registry import Registry

WRITERS = Registry("folder writer", {"parquet": "exports.containers.folder:write_shards"})
OURS = "manifest.json"  # what marks a folder as one that an export may replace


def write_folder(dataset: Dataset, *, entry: Format, path: Path) -> dict[str, Any]:
    """Writes `path`/README.md, manifest.json and data/*.parquet; returns `write_export`'s report and the splits.

    Raises `NothingToExport`, `CannotWrite` (also where `path` holds something other than an export).
    """
    columns, tree = columns_of(dataset, entry), Merkle()
    with one_moment(), fresh_folder(path) as folder:
        rows, tally = read(dataset, entry)
        splits = WRITERS.load("parquet")(folder, batches(rows, tree), columns)
        if not tree.rows:
            raise nothing_left(tally.as_dict(), format=entry.name, needs=entry.needs)
        report = {"rows": tree.rows, "hash": tree.root(), **tally.as_dict()}
        facts = manifest(dataset, entry, report)
        (folder / OURS).write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
        (folder / "README.md").write_text(card(facts, entry, splits), encoding="utf-8")
    return {**report, "splits": splits}


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
