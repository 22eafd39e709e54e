"""What every model that is loaded into this process has in common: where its weights lie, on which device and in
which numbers it computes, how many threads it takes, and that no text reaches it with its own special tokens.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, TypedDict, Unpack

import torch
from transformers.utils import logging

from judges.backends.conversion import as_safetensors
from judges.backends.weights import resolve, revision
from judges.items import Limits
from judges.requests import Request
from judges.safety import neutralise

BOUNDLESS = 1 << 20  # tokens: a model that names no window


class Placing(TypedDict, total=False):
    """`model` is a path, a hub id, a GGUF or `bundled:NAME`; `threads` 0 chooses by the machine's load at each
    batch, `window` 0 takes the model's own.
    """

    model: str
    models_dir: Path
    cache_dir: Path
    device: str
    dtype: str
    threads: int
    window: int


class LocalModel:
    """A model in this process; a backend adds how it is loaded and asked."""

    kind: ClassVar[str]

    def __init__(self, **placing: Unpack[Placing]) -> None:
        self.name = placing["model"]
        self.place = resolve(self.name, placing["models_dir"])
        if self.place.endswith(".gguf"):
            self.place = str(as_safetensors(Path(self.place), placing["cache_dir"]))
        logging.disable_progress_bar()
        self.revision = revision(self.place)
        self.threads, self.widest = placing.get("threads", 0), placing.get("window", 0)
        self.device = torch.device(chosen_device(placing.get("device", "auto")))
        wish = placing.get("dtype", "auto")
        self.dtype = quick_dtype(self.device.type) if wish == "auto" else getattr(torch, wish)

    @property
    def window(self) -> int:
        """The tokens that a prompt may have."""
        own = getattr(self.model.config.get_text_config(), "max_position_embeddings", BOUNDLESS)
        return min(self.widest or BOUNDLESS, own)

    def placed(self, model: Any) -> Any:
        """The loaded model on its device, in evaluation."""
        self.model = model.eval()
        torch.nn.Module.to(self.model, self.device)
        return self.model

    def limits(self) -> Limits:
        return Limits(window=self.window, tokens_per_character=0.3)

    def identity(self) -> str:
        return f"{self.kind}:{self.name}@{self.revision}:{str(self.dtype).removeprefix('torch.')}"

    def take_threads(self) -> None:
        """As many threads as the machine can spare now."""
        if self.device.type == "cpu":
            torch.set_num_threads(self.threads or free_threads())


def has_images(request: Request) -> bool:
    """Whether any message of the request carries an image."""
    return any(message.images for message in getattr(request, "messages", ()))


def neutralise_specials(text: str, specials: Sequence[str]) -> str:
    """`text` with the tokenizer's special tokens parted; untouched where it has none."""
    if not any(special in text for special in specials if special.strip()):
        return text
    return neutralise(text, specials).text


def free_threads() -> int:
    """One thread under contention, every core on a quiet machine: two threads that wait for each other are
    slower than one (981 ms against 226 ms a step, measured).
    """
    cores = os.cpu_count() or 1
    busy = os.getloadavg()[0]
    return 1 if busy > cores / 2 + 1 else cores


def chosen_device(wish: str) -> str:
    if wish != "auto":
        return wish
    return "cuda" if torch.cuda.is_available() else "cpu"


def quick_dtype(device: str) -> torch.dtype:
    """bf16 on a GPU and on processors that multiply it, f32 elsewhere."""
    able = torch.cpu.get_capabilities()
    quick = device == "cuda" or able.get("avx512_bf16") or able.get("amx_bf16") or able.get("bf16")
    return torch.bfloat16 if quick else torch.float32
