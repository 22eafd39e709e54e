"""Sequence-classification reward models through transformers: a scalar for a chat, with Monte Carlo
dropout.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging

from judges.backends.transformers import free_threads, neutralise_specials, quick_dtype
from judges.backends.weights import resolve, revision
from judges.items import Limits
from judges.requests import Answer, Failure, Request, RewardRequest, Rewards, Usage

BATCH = 8


class RewardModelBackend:
    """A model with one output (or the difference of two): a path, a hub id or `bundled:NAME`.

    `dropout` is the rate that Monte Carlo samples use in every dropout layer, whatever the model was saved
    with.
    """

    def __init__(
        self,
        *,
        model: str,
        models_dir: Path,
        cache_dir: Path,
        device: str = "auto",
        dropout: float = 0.1,
        dtype: str = "auto",
    ) -> None:
        logging.disable_progress_bar()
        place = resolve(model, models_dir)
        self.name, self.revision, self.dropout = model, revision(place), dropout
        self.device = torch.device("cuda" if device == "auto" and torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(place)
        chosen = quick_dtype(self.device.type) if dtype == "auto" else getattr(torch, dtype)
        made = AutoModelForSequenceClassification.from_pretrained(place, dtype=chosen)
        self.model = made.to(self.device).eval()
        if self.model.config.pad_token_id is None:
            self.model.config.pad_token_id = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id
        self.window = getattr(self.model.config, "max_position_embeddings", 8192)

    def limits(self) -> Limits:
        return Limits(window=self.window, tokens_per_character=0.3)

    def identity(self) -> str:
        return f"reward-model:{self.name}@{self.revision}"

    def warm_up(self) -> None:
        self._rewards([[self.model.config.pad_token_id or 0] * 8])

    @torch.inference_mode()
    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        if self.device.type == "cpu":
            torch.set_num_threads(free_threads())
        ids = [self._ids(one) if isinstance(one, RewardRequest) else [] for one in requests]
        order = sorted(range(len(requests)), key=lambda i: len(ids[i]))
        answers: dict[int, Answer] = {}
        for at in range(0, len(order), BATCH):
            part = order[at : at + BATCH]
            answers.update(
                zip(part, self._batch([requests[i] for i in part], [ids[i] for i in part]), strict=True)
            )
        return [answers[i] for i in range(len(requests))]

    def _batch(self, requests: Sequence[Request], ids: Sequence[list[int]]) -> list[Answer]:
        """Rewards of one batch of about equal lengths; the samples' masks are drawn from the request's
        seed.
        """
        start = time.perf_counter()
        fits = [
            i
            for i, one in enumerate(requests)
            if isinstance(one, RewardRequest) and len(ids[i]) <= self.window
        ]
        if not fits:
            return [self._refusal(one, ids[i]) for i, one in enumerate(requests)]
        first = requests[fits[0]]
        assert isinstance(first, RewardRequest)
        rows = [ids[i] for i in fits]
        if first.samples:
            with dropping(self.model, self.dropout):
                torch.manual_seed(first.seed)
                values = torch.stack([self._rewards(rows) for _ in range(first.samples)], 1)  # (B, samples)
        else:
            values = self._rewards(rows)[:, None]
        seconds = (time.perf_counter() - start) / len(fits)
        found = {
            i: Rewards(tuple(row), Usage(read=len(ids[i]), seconds=seconds))
            for i, row in zip(fits, values.tolist(), strict=True)
        }
        return [found.get(i) or self._refusal(one, ids[i]) for i, one in enumerate(requests)]

    def _refusal(self, request: Request, ids: list[int]) -> Failure:
        if isinstance(request, RewardRequest):
            return Failure(f"{len(ids)} tokens exceed the window of {self.window}")
        return Failure(f"a reward model cannot answer {type(request).__name__}")

    def _rewards(self, rows: Sequence[list[int]]) -> Tensor:
        """Scalars (B,) of token rows, padded on the right."""
        longest = max(map(len, rows))
        ids = torch.full((len(rows), longest), self.model.config.pad_token_id or 0)
        mask = torch.zeros_like(ids)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1
        logits = self.model(
            ids.to(self.device), attention_mask=mask.to(self.device)
        ).logits.float()  # (B, 1 or 2)
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, -1] - logits[:, 0]

    def _ids(self, request: RewardRequest) -> list[int]:
        specials = tuple(self.tokenizer.all_special_tokens)
        chat = [
            {"role": one.role, "content": neutralise_specials(one.content, specials)}
            for one in request.messages
        ]
        text = self.tokenizer.apply_chat_template(chat, tokenize=False)
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])


class dropping:  # noqa: N801  (reads as a block: `with dropping(model, rate)`)
    """A block in which the model's dropout layers are at work at `rate`, everything else in evaluation."""

    def __init__(self, model: nn.Module, rate: float) -> None:
        self.layers = [module for module in model.modules() if isinstance(module, nn.Dropout)]
        self.model, self.rate = model, rate

    def __enter__(self) -> None:
        self.before = [layer.p for layer in self.layers]
        self.hooks = []
        for layer in self.layers:
            layer.p = self.rate
            layer.train()
        if not self.layers:  # models such as Llama have none: drop the last hidden state instead
            head = self.model.get_submodule("score" if hasattr(self.model, "score") else "classifier")
            self.hooks.append(head.register_forward_pre_hook(self._drop))

    def _drop(self, module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (nn.functional.dropout(inputs[0], self.rate, training=True), *inputs[1:])

    def __exit__(self, *_: object) -> None:
        for layer, rate in zip(self.layers, self.before, strict=True):
            layer.p = rate
            layer.eval()
        for hook in self.hooks:
            hook.remove()
