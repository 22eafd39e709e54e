"""Containers: the files that a format's rows can be put into."""

from pathlib import PurePath

from web.registry import Registry

CONTAINERS = Registry(
    "container",
    {
        "jsonl": "exports.containers.jsonl:PLAIN",
        "jsonl.gz": "exports.containers.jsonl:GZIP",
        "jsonl.zst": "exports.containers.jsonl:ZSTD",
        "parquet": "exports.containers.parquet:PARQUET",
        "csv": "exports.containers.flat:CSV",
    },
)
FOLDER = "folder"

SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".jsonl.gz": "jsonl.gz",
    ".gz": "jsonl.gz",
    ".jsonl.zst": "jsonl.zst",
    ".zst": "jsonl.zst",
    ".parquet": "parquet",
    ".csv": "csv",
}


def container_for(path: str) -> str:
    """The container that a file name asks for by its suffix; a folder where it ends in /; else JSON Lines.

    >>> container_for("pairs.jsonl.gz"), container_for("a.parquet"), container_for("out/")
    ('jsonl.gz', 'parquet', 'folder')
    """
    if path.endswith("/"):
        return FOLDER
    suffixes = PurePath(path).suffixes
    for ending in ("".join(suffixes[-2:]), *suffixes[-1:]):
        if ending.lower() in SUFFIXES:
            return SUFFIXES[ending.lower()]
    return "jsonl"
