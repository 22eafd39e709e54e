"""`check_dataset`: the probe, and one step of the trainers that the format is for."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

from exports.checks.probing import Encode, Report, probe
from exports.checks.samples import drawn, samples
from exports.formats import FORMATS
from exports.formats.base import Format
from exports.problems import NothingToExport
from exports.readback import read_export
from exports.training import TRAININGS
from judges.representations import loaded_encoder
from web.problems import Unready

ENCODER = "minilm"
MOST = 20_000  # pairs looked at; the clock usually stops earlier
FEW = 64  # rows that the trainers see


def check_dataset(
    path: Path, *, format: str, seconds: float, seed: int = 0, train: bool = True, steps: int = 0
) -> Report:
    """{"rows", "probe", "training"}: what the file teaches, and whether the named trainers take a step on it.

    Raises `UnknownName`, `NotFound`, `Invalid`, `NothingToExport`; `Unready` where trl is not installed.
    """
    entry = FORMATS.load(format)
    began = monotonic()
    rows = sum(1 for _ in read_export(path))
    if not rows:
        raise NothingToExport(f"{path} has no rows to check.", path=str(path))
    pairs = drawn(samples(read_export(path)), most=MOST, seed=seed)
    report: Report = {"format": format, "rows": rows}
    report["probe"] = probe(pairs, encoder(), seconds=seconds, seed=seed) if pairs else None
    report["training"] = trained(path, entry) if train and entry.check else None
    if steps:
        report["longer"] = train_longer(path, entry, steps=steps, seed=seed)
    return {**report, "seconds": round(monotonic() - began, 1)}


def encoder() -> Encode:
    """The encoder, its weights read: that is not on the probe's clock."""
    found = loaded_encoder(ENCODER).encode
    found(["."])
    return found


def trained(path: Path, entry: Format) -> dict[str, Any]:
    """{trainer: outcome of one optimiser step on the tiny model}."""
    return load(entry.check)(as_rows(islice(read_export(path), FEW)))


def train_longer(path: Path, entry: Format, *, steps: int, seed: int) -> dict[str, Any]:
    """A small model trained for `steps`, on the GPU where there is one: loss, and what it reaches held out."""
    if entry.check == "unpaired":
        return load("longer-unpaired")(as_rows(read_export(path)), steps=steps, seed=seed)
    pairs = list(samples_as_rows(path))
    if not pairs:
        return {"steps": 0, "reason": f"{entry.name} holds no pairs to train on for longer"}
    return load("longer")(as_rows(iter(pairs)), steps=steps, seed=seed)


def samples_as_rows(path: Path) -> Iterator[dict[str, Any]]:
    for pair in samples(read_export(path)):
        yield {"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected}


def as_rows(rows: Iterator[dict[str, Any]]) -> Any:
    return load("rows")(list(rows))


def load(name: str) -> Any:
    """The training by its name. Raises `Unready` where its libraries are missing."""
    try:
        return TRAININGS.load(name)
    except ModuleNotFoundError as error:
        raise Unready(
            f"Training checks need {error.name}, which is not installed: pip install '.[train]', or --no-training."
        ) from error
