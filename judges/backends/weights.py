"""Where a local model's weights lie, and what makes two copies the same model. No torch here."""

from __future__ import annotations

import hashlib
from pathlib import Path

from judges.problems import ModelMissing

WEIGHTS = {".safetensors", ".bin", ".gguf"}
SHAPES = {"config.json", "chat_template.jinja"}


def find_beneath(folder: Path, pattern: str, *, of: str = "") -> Path:
    """The first file beneath `folder` (sorted) that matches the glob `pattern` and has `of` in its path."""
    found = sorted(
        path for path in folder.rglob(pattern) if of.lower() in str(path.relative_to(folder)).lower()
    )
    if not found:
        raise ModelMissing(model=of or pattern, folder=str(folder))
    return found[0]


def resolve(model: str, models_dir: Path) -> str:
    """`model` as something that can be loaded: a path or hub id as it is, `bundled:NAME` as a path beneath
    the folder.

    A bundled name is a GGUF whose path contains it, else the folder of a `model.safetensors` whose path does.
    """
    if not model.startswith("bundled:"):
        return model
    name = model.removeprefix("bundled:")
    try:
        return str(find_beneath(models_dir, "*.gguf", of=name))
    except ModelMissing:
        return str(find_beneath(models_dir, "model.safetensors", of=name).parent)


def revision(model: str) -> str:
    """A short hash of the weights' names and sizes and of the config's bytes; a hub id is its own
    revision.
    """
    place = Path(model)
    if not place.exists():
        return "hub"
    digest = hashlib.sha256()
    for path in sorted(place.glob("*")) if place.is_dir() else [place]:
        if path.suffix in WEIGHTS:
            digest.update(f"{path.name}:{path.stat().st_size};".encode())
        elif path.name in SHAPES:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
