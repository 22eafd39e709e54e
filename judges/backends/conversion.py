"""A GGUF's weights as safetensors, made once and kept.

A GGUF costs 17 s to load (its metadata is parsed twice, then dequantised); the same weights as safetensors
cost under 2 s. The copy appears by a rename, so that two workers may convert at once and neither reads half
of it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

DONE = "complete.json"


def as_safetensors(gguf: Path, cache: Path) -> Path:
    """The folder with `gguf` as bf16 safetensors, tokenizer and chat template; made now if it is not
    there.
    """
    size = gguf.stat().st_size
    mark = hashlib.sha256(f"{gguf.name}:{size}".encode()).hexdigest()[:12]
    target = cache / f"{gguf.stem}-{mark}"
    if (target / DONE).exists():
        return target
    cache.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=cache))
    try:
        _convert(gguf, making)
        (making / DONE).write_text(json.dumps({"from": gguf.name, "bytes": size}))
        _put_in_place(making, target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return target


def _convert(gguf: Path, folder: Path) -> None:
    logging.disable_progress_bar()
    AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
    # transformers 5.23 refuses to save a model that came from a GGUF while it looks quantised; it is f32 by
    # now
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    for name in ("hf_quantizer", "is_quantized", "quantization_method"):
        model.__dict__.pop(name, None)
    torch.nn.Module.to(model, torch.bfloat16)
    model.save_pretrained(folder)


def _put_in_place(making: Path, target: Path) -> None:
    """Rename in one step; whoever came first wins, both are equal."""
    try:
        making.rename(target)
    except OSError:
        if not (target / DONE).exists():
            raise
