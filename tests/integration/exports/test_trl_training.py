"""Each format that TRL takes is loaded with `datasets`, and the named trainers take a real step on it."""

import math
from pathlib import Path

import pytest
from datasets import load_dataset

from exports.actions import write_export
from exports.choices import parse_choices
from exports.datasets import open_live
from exports.formats import FORMATS
from exports.training import TRAININGS
from tests.integration.exports.made_rows import SOURCES, chats, everything, project_for, votes

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

TRAINED = [name for name in FORMATS if FORMATS.load(name).check]
KINDS = {"standard": votes, "conversational": chats, "scored": everything}
CASES = [(name, kind) for name in TRAINED for kind in (["its own"] if name in SOURCES else KINDS)]
CHOSEN = {"trl-unpaired": {"min_margin": 0.5}}


def load(path: Path, container: str, scratch: Path):
    kind = "parquet" if container == "parquet" else "json"
    return load_dataset(kind, data_files=str(path), split="train", cache_dir=str(scratch))


@pytest.mark.parametrize(("format", "kind"), CASES)
def test_the_named_trainers_take_a_step(format, kind, project_of, tmp_path):
    project = project_of(KINDS[kind]()) if kind in KINDS else project_for(format, project_of)
    dataset = open_live(project, parse_choices(CHOSEN.get(format, {})))
    loaded = {}
    for container in ("jsonl", "parquet"):
        path = tmp_path / f"rows.{container}"
        write_export(dataset, format=format, container=container, path=path)
        loaded[container] = load(path, container, tmp_path / container)
    assert loaded["jsonl"][:] == loaded["parquet"][:]
    for trainer, outcome in TRAININGS.load(FORMATS.load(format).check)(loaded["parquet"]).items():
        assert outcome["moved"], trainer
        assert math.isfinite(outcome["loss"]), trainer


@pytest.mark.parametrize("kind", KINDS)
def test_reward_and_dpo_trainers_take_the_implicit_prompt(kind, project_of, tmp_path):
    dataset = open_live(project_of(KINDS[kind]()), parse_choices({"prompt": "implicit"}))
    path = tmp_path / "rows.parquet"
    write_export(dataset, format="trl-preference", container="parquet", path=path)
    rows = load(path, "parquet", tmp_path)
    assert "prompt" not in rows.column_names
    assert all(outcome["moved"] for outcome in TRAININGS.load("pairs")(rows).values())
