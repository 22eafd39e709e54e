"""Containers: what goes in comes out, and the same rows give the same bytes."""

import csv
import gzip
import io
import json

import pyarrow.parquet
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.containers import CONTAINERS, container_for
from exports.containers.base import Batch
from exports.containers.flat import defuse, restore
from exports.formats.columns import FLAG, INTEGER, JSON, MESSAGES, NUMBER, TEXT, Many, Maybe, record
from exports.merkle import Merkle
from exports.stream import batches

COLUMNS = {
    "text": TEXT,
    "messages": MESSAGES,
    "margin": NUMBER,
    "agreement": Maybe(NUMBER),
    "count": INTEGER,
    "good": FLAG,
    "raters": Many(TEXT),
    "parts": Many(record(start=INTEGER, text=TEXT)),
    "any": JSON,
}
FLAT = {"text": TEXT, "margin": NUMBER, "agreement": Maybe(NUMBER), "good": FLAG, "raters": Many(TEXT)}
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ROW = st.fixed_dictionaries(
    {
        "text": TEXTS,
        "messages": st.lists(st.fixed_dictionaries({"role": st.just("user"), "content": TEXTS}), max_size=3),
        "margin": NUMBERS,
        "agreement": st.none() | NUMBERS,
        "count": st.integers(-(2**53), 2**53),
        "good": st.booleans(),
        "raters": st.lists(TEXTS, max_size=3),
        "parts": st.lists(st.fixed_dictionaries({"start": st.integers(0, 9), "text": TEXTS}), max_size=2),
        "any": st.dictionaries(TEXTS, st.integers(0, 9) | TEXTS, max_size=2),
    }
)
ROWS = st.lists(ROW, min_size=1, max_size=12)


def packed(name, rows, columns=COLUMNS):
    return b"".join(CONTAINERS.load(name).encode(batches(iter(rows), Merkle()), columns))


UNPACK = {"jsonl": bytes, "jsonl.gz": gzip.decompress, "jsonl.zst": lambda data: zstd(data)}


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


@pytest.mark.parametrize("name", UNPACK)
@given(rows=ROWS)
def test_json_lines_come_back(name, rows):
    assert [json.loads(line) for line in UNPACK[name](packed(name, rows)).split(b"\n")[:-1]] == rows


@settings(deadline=None)
@given(ROWS)
def test_parquet_comes_back_with_its_types(rows):
    table = pyarrow.parquet.read_table(io.BytesIO(packed("parquet", rows)))
    read = table.to_pylist()
    assert [{**row, "any": json.loads(row["any"])} for row in read] == rows
    assert str(table.schema.field("messages").type) == "list<element: struct<role: string, content: string>>"


@given(ROWS)
def test_csv_comes_back_cell_by_cell(rows):
    flat = [{name: row[name] for name in FLAT} for row in rows]
    text = packed("csv", flat, FLAT).decode()
    read = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [restore(row["text"]) for row in read] == [row["text"] for row in flat]
    assert [json.loads(row["raters"]) for row in read] == [row["raters"] for row in flat]
    assert [row["agreement"] and float(row["agreement"]) for row in read] == [
        "" if row["agreement"] is None else row["agreement"] for row in flat
    ]


@given(TEXTS)
def test_no_cell_begins_a_formula(text):
    assert not defuse(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert restore(defuse(text)) == text


@pytest.mark.parametrize("name", [*UNPACK, "parquet"])
def test_the_same_rows_are_the_same_bytes(name):
    rows = [{**dict.fromkeys(COLUMNS, ""), "messages": [], "margin": 1.0, "agreement": None, "count": 1,
             "good": True, "raters": ["a"], "parts": [], "any": {}}] * 3  # fmt: skip
    assert packed(name, rows) == packed(name, rows)


@pytest.mark.parametrize(
    ("path", "container"),
    [("a.jsonl", "jsonl"), ("a", "jsonl"), ("a.jsonl.gz", "jsonl.gz"), ("a.JSONL.ZST", "jsonl.zst"),
     ("x/a.parquet", "parquet"), ("a.csv", "csv"), ("out/", "folder"), ("v1.2/a.jsonl", "jsonl")],
)  # fmt: skip
def test_the_name_says_the_container(path, container):
    assert container_for(path) == container


def test_batches_end_lines_and_hash_them():
    tree = Merkle()
    (batch,) = batches(iter([{"a": 1}, {"a": 2}]), tree)
    assert isinstance(batch, Batch)
    assert (batch.text(), tree.rows) == (b'{"a":1}\n{"a":2}\n', 2)
