"""Exports that end before their time: a full disk, a caller who goes away. Nothing hangs, nothing is left behind."""

import resource
from contextlib import closing

import pytest
from django.db import connection

from exports.actions import stream_export, write_export
from exports.choices import Choices
from exports.datasets import Dataset, open_live
from exports.problems import CannotWrite
from tests.integration.exports.made_rows import instance, vote

pytestmark = pytest.mark.django_db(transaction=True)

LONG = ["Yes. " * 200, "No. " * 200]  # 2,500 of them are far more than is read ahead
CONTAINERS = ["jsonl", "jsonl.gz", "parquet", "folder"]


@pytest.fixture
def dataset(project_of) -> Dataset:
    project = project_of(instance(f"i{n}", [vote(-1)], texts=LONG) for n in range(2500))
    return open_live(project, Choices())


def at_work() -> bool:
    """Whether the connection is in a transaction, or still has a statement's rows to read."""
    held = connection.connection
    return connection.in_atomic_block or held.info.transaction_status != held.info.transaction_status.IDLE


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_disk_that_fills_up_in_the_middle_is_named_and_leaves_nothing(container, dataset, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
        with pytest.raises(CannotWrite, match="rows cannot be written: .*File too large"):
            write_export(dataset, format="trl-preference", container=container, path=tmp_path / "rows")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (list(tmp_path.iterdir()), at_work()) == ([], False)
    report = write_export(dataset, format="trl-preference", container=container, path=tmp_path / "rows")
    assert report["rows"] == 2500


@pytest.mark.parametrize("container", ["jsonl", "jsonl.zst", "parquet", "csv"])
def test_a_caller_who_goes_away_frees_the_connection(container, dataset):
    parts = stream_export(dataset, format="trl-preference", container=container)
    with closing(parts):
        assert next(parts)
        assert at_work()
    assert not at_work()


def test_an_error_while_rows_are_read_comes_through(dataset, tmp_path, monkeypatch):
    """A bug in a format, say: the export ends with that error, and not by waiting for its own reader."""
    monkeypatch.setattr("exports.stream.BATCH_BYTES", 10_000)
    monkeypatch.setattr("exports.merkle.sha256", lambda row: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_export(dataset, format="trl-preference", container="jsonl", path=tmp_path / "rows")
    assert (list(tmp_path.iterdir()), at_work()) == ([], False)
