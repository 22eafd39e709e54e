"""`check_dataset` as a person runs it: real exports of real labels, the real encoder, real trainers."""

import gzip
import io
import json

import pytest
from django.core.management import CommandError, call_command

from exports.formats import FORMATS
from tests.integration.exports.made_rows import project_for
from tests.unit.quality.sets import shared_file

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
CHOSEN = {"trl-unpaired": ("--min-margin", "0.5")}
TRAINED = [name for name in FORMATS if FORMATS.load(name).check]


def run(*words):
    out = io.StringIO()
    call_command(*map(str, words), "--json", "-", stdout=out)
    return json.loads(out.getvalue())


def exported(project, format, path):
    run("export", project.slug, "--format", format, "--output", path, *CHOSEN.get(format, ()))
    return path


@pytest.mark.parametrize("format", TRAINED)
def test_every_format_that_is_trained_on_is_checked_and_trained_for_longer(format, project_of, tmp_path):
    path = exported(project_for(format, project_of), format, tmp_path / "rows.parquet")
    report = run("check_dataset", path, "--format", format, "--seconds", 5, "--steps", 2)
    assert report["rows"] > 0
    assert report["training"] and all(held["moved"] for held in report["training"].values())
    longer = report["longer"]
    assert longer["steps"] == 2 or longer["reason"]
    if longer["steps"]:
        assert longer["held_out"] > 0


def test_the_probe_on_real_labels_stands_above_length_alone(project_of, tmp_path):
    """CoNaLa's ratings as pairs: which of two snippets developers find more useful can be learnt from the texts."""
    with gzip.open(shared_file("conala_code.jsonl.gz")) as lines:
        rows = [json.loads(line) for line in lines]
    path = exported(project_of(rows, slug="conala"), "trl-preference", tmp_path / "rows.jsonl")
    report = run("check_dataset", path, "--seconds", 20, "--no-training")
    found = report["probe"]
    assert report["training"] is None
    assert found["accuracy"]["low"] > 0.6
    assert found["accuracy"]["share"] > found["length"]["accuracy"]["share"] + 0.1
    assert found["leakage"] is None


def test_what_cannot_be_checked_is_said(project_of, tmp_path):
    (tmp_path / "bad.jsonl").write_text("{no json")
    (tmp_path / "empty.jsonl").write_text("")
    for path, said in (
        (tmp_path / "nowhere.jsonl", "There is no file"),
        (tmp_path / "bad.jsonl", "Line 1 of"),
        (tmp_path / "empty.jsonl", "has no rows to check"),
    ):
        with pytest.raises(CommandError, match=said):
            run("check_dataset", path, "--seconds", 5)
    with pytest.raises(CommandError, match="no export format named 'dpo'"):
        run("check_dataset", tmp_path / "bad.jsonl", "--format", "dpo")
