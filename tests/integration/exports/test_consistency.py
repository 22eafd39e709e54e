"""An export reads one moment, whatever is written while it runs."""

import io
from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest
from django.db import connection

from exports.actions import stream_export
from exports.choices import Choices
from exports.datasets import open_live
from ledger.imports.load import import_stream
from ledger.models import Project
from routing.actions import settle
from tests.integration.exports.made_rows import instance, vote

pytestmark = pytest.mark.django_db(transaction=True)


def turn_everything(slug, rows):
    """What others do meanwhile: three more people contradict every label, and the project is settled again."""
    project = Project.objects.get(slug=slug)
    import_stream(project, rows)
    settle(project)
    connection.close()


@pytest.mark.parametrize("format", ["trl-preference", "disaggregated"])
def test_labels_that_arrive_in_the_middle_are_not_seen(format, project_of):
    rows = [instance(f"i{n}", [vote(-1)], texts=["Yes. " * 100, "No. " * 100]) for n in range(2500)]
    project = project_of(rows, slug="busy")
    dataset = open_live(project, Choices())
    before = b"".join(stream_export(dataset, format=format, container="jsonl"))
    turned = [{**row, "human": [vote(1, who) for who in "xyz"]} for row in rows]
    parts = stream_export(dataset, format=format, container="jsonl")
    first = next(parts)
    with ThreadPoolExecutor(1) as others:
        others.submit(turn_everything, "busy", io.BytesIO(b"\n".join(map(orjson.dumps, turned)))).result()
    assert first + b"".join(parts) == before
    assert len(first) < len(before)
    assert b"".join(stream_export(open_live(project, Choices()), format=format, container="jsonl")) != before
