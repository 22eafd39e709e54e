"""Sequence-classification reward models through transformers: a scalar for a chat, with Monte Carlo
dropout.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Unpack

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from judges.backends.local import LocalModel, Placing, has_images, neutralise_specials
from judges.requests import Answer, Failure, Request, RewardRequest, Rewards, Usage

BATCH = 8


class RewardModelBackend(LocalModel):
    """A model with one output (or the difference of two).

    `dropout` is the rate that Monte Carlo samples use in every dropout layer, whatever the model was saved
    with.
    """

    kind = "reward-model"

    def __init__(self, *, dropout: float = 0.1, **placing: Unpack[Placing]) -> None:
        super().__init__(**placing)
        self.dropout = dropout
        self.tokenizer = AutoTokenizer.from_pretrained(self.place)
        self.specials = tuple(self.tokenizer.all_special_tokens)
        self.placed(AutoModelForSequenceClassification.from_pretrained(self.place, dtype=self.dtype))
        if self.model.config.pad_token_id is None:
            self.model.config.pad_token_id = self.tokenizer.pad_token_id or self.tokenizer.eos_token_id

    def warm_up(self) -> None:
        self._rewards([[self.model.config.pad_token_id or 0] * 8])

    @torch.inference_mode()
    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Batches of about equal lengths; dropout's masks are drawn for each request by its own seed."""
        self.take_threads()
        ids = [self._ids(one) if isinstance(one, RewardRequest) else [] for one in requests]
        refused = {i: why for i, one in enumerate(requests) if (why := self._refusal(one, ids[i]))}
        answers: dict[int, Answer] = dict(refused)
        asked = [
            (i, one) for i, one in enumerate(requests) if isinstance(one, RewardRequest) and i not in refused
        ]
        plain = sorted((i for i, one in asked if not one.samples), key=lambda i: len(ids[i]))
        for at in range(0, len(plain), BATCH):
            part = plain[at : at + BATCH]
            answers.update(zip(part, self._plain([ids[i] for i in part]), strict=True))
        answers.update({i: self._sampled(ids[i], one) for i, one in asked if one.samples})
        return [answers[i] for i in range(len(requests))]

    def _plain(self, rows: Sequence[list[int]]) -> list[Rewards]:
        """One reward a row."""
        start = time.perf_counter()
        values = self._rewards(rows).tolist()
        seconds = (time.perf_counter() - start) / len(rows)
        return [
            Rewards((v,), Usage(read=len(ids), seconds=seconds)) for v, ids in zip(values, rows, strict=True)
        ]

    def _sampled(self, ids: list[int], request: RewardRequest) -> Rewards:
        """A reward under each dropout mask, in batches whose rows draw masks of their own."""
        start = time.perf_counter()
        with dropping(self.model, self.dropout):
            torch.manual_seed(request.seed)
            sizes = [min(BATCH, request.samples - at) for at in range(0, request.samples, BATCH)]
            values = torch.cat([self._rewards([ids] * size) for size in sizes])  # (samples,)
        usage = Usage(read=len(ids) * request.samples, seconds=time.perf_counter() - start)
        return Rewards(tuple(values.tolist()), usage)

    def _refusal(self, request: Request, ids: list[int]) -> Failure | None:
        """Why the request cannot be answered, where it cannot."""
        if not isinstance(request, RewardRequest):
            return Failure(f"a reward model cannot answer {type(request).__name__}")
        if has_images(request):
            return Failure(f"{self.name} takes no images")
        too_long = len(ids) > self.window
        return Failure(f"{len(ids)} tokens exceed the window of {self.window}") if too_long else None

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
        chat = [
            {"role": one.role, "content": neutralise_specials(one.content, self.specials)}
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
