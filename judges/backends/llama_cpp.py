"""A GGUF model through llama.cpp within this process: generation on a CPU at some 3.5 times torch's speed.

The wheel `xllamacpp` (optional) carries llama.cpp's server; it listens on a loopback port of its own
choosing with a random key and speaks the OpenAI-compatible protocol, so that backend does the rest.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

import xllamacpp

from judges.backends.openai_compatible import OpenAICompatibleBackend
from judges.backends.weights import find_beneath, revision
from judges.items import Limits, Message
from judges.requests import Answer, GenerateRequest, Request


class LlamaCppBackend:
    """A GGUF by path or `bundled:NAME`."""

    def __init__(
        self,
        *,
        model: str,
        models_dir: Path,
        cache_dir: Path,
        window: int = 4096,
        threads: int = 0,
        parallel: int = 2,
    ) -> None:
        place = model
        if model.startswith("bundled:"):
            place = str(find_beneath(models_dir, "*.gguf", of=model.removeprefix("bundled:")))
        key = secrets.token_hex(16)
        params = xllamacpp.CommonParams()
        params.model.path = place
        params.n_ctx, params.n_parallel = window * parallel, parallel
        params.n_gpu_layers = 0
        params.cpuparams.n_threads = threads or os.cpu_count() or 1
        params.hostnames, params.port, params.api_keys = ["127.0.0.1"], 0, [key]
        self.server = xllamacpp.Server(params)
        self.name, self.revision = model, revision(place)
        self.inner = OpenAICompatibleBackend(
            url=f"{self.server.listening_address}/v1",
            model=model,
            key=key,
            private_allowed=True,
            concurrency=parallel,
            window=window,
            timeout=600,
        )

    def limits(self) -> Limits:
        return self.inner.limits()

    def identity(self) -> str:
        return f"llama.cpp:{self.name}@{self.revision}"

    def warm_up(self) -> None:
        self.answer([GenerateRequest((Message("user", "Say yes."),), max_tokens=1)])

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        return self.inner.answer(requests)
