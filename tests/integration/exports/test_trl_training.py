"""Each format that TRL takes is loaded with `datasets`, and the named trainers take a real step on it."""

import importlib.util
import math
import re
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
    entry = FORMATS.load(format)
    outcomes = TRAININGS.load(entry.check)(loaded["parquet"])
    assert {name for name in entry.trainers if name.endswith("Trainer")} <= set(outcomes)
    for trainer, outcome in outcomes.items():
        assert outcome["moved"], trainer
        assert math.isfinite(outcome["loss"]), trainer


@pytest.mark.parametrize("kind", KINDS)
def test_the_preference_trainers_take_the_implicit_prompt(kind, project_of, tmp_path):
    dataset = open_live(project_of(KINDS[kind]()), parse_choices({"prompt": "implicit"}))
    path = tmp_path / "rows.parquet"
    write_export(dataset, format="trl-preference", container="parquet", path=path)
    rows = load(path, "parquet", tmp_path)
    assert "prompt" not in rows.column_names
    assert all(outcome["moved"] for outcome in TRAININGS.load("preference")(rows).values())


# What the other trainers of this TRL want, which no preference export holds.
OTHERWISE = {
    "SFTTrainer": "texts to imitate: the column `chosen` of trl-preference, renamed",
    "DistillationTrainer": "a teacher model",
    "GKDTrainer": "a teacher model and whole conversations",
    "GOLDTrainer": "a teacher model and whole conversations",
    "IWOPDTrainer": "a teacher model",
    "ServerDistillationTrainer": "a teacher model behind a server",
    "AsyncDistillationTrainer": "a teacher model behind a server",
    "AsyncGRPOTrainer": "prompts, and a vLLM server",
    "A2POTrainer": "prompts, as GRPOTrainer takes them",
    "GMPOTrainer": "prompts: GRPOTrainer with another loss",
    "SDFTTrainer": "prompts with privileged context",
    "SDPOTrainer": "prompts with feedback from an environment",
}


def trainers_of_trl() -> set[str]:
    """Every trainer that the installed TRL offers, stable or experimental, by the names in its packages."""
    root = Path(importlib.util.find_spec("trl").origin).parent
    text = "".join(
        path.read_text() for path in [*root.glob("trainer/*.py"), *root.glob("experimental/*/*.py")]
    )
    named = set(re.findall(r"^class (\w+Trainer)\(", text, re.MULTILINE))
    return {name for name in named if not name.startswith(("_", "Base"))}


def test_every_trainer_of_this_trl_is_tried_or_known_to_want_something_else():
    tried = {trainer for name in FORMATS for trainer in FORMATS.load(name).trainers}
    found = trainers_of_trl()
    assert {"DPOTrainer", "OnlineDPOTrainer"} <= found
    assert found - tried - set(OTHERWISE) == set()
    assert {name for name in tried if name.endswith("Trainer")} <= found
