"""Encoders: texts to vectors, in a judge worker. Torch lives here, so only registries' strings lead to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging

from judges.backends.conversion import as_safetensors
from judges.backends.local import free_threads, quick_dtype
from judges.backends.weights import resolve
from judges.matching import greedy_matching

Floats32 = NDArray[np.float32]
BATCH = 32


class SentenceEncoder:
    """MiniLM sentence embeddings: the mean of the last layer's token states, of unit length (Reimers and
    Gurevych 2019); and how well texts match by those states (`judges.matching`).
    """

    tokens = 256

    def __init__(self, *, models_dir: Path, cache_dir: Path) -> None:
        logging.disable_progress_bar()
        place = resolve("bundled:minilm", models_dir)
        self.tokenizer = AutoTokenizer.from_pretrained(place)
        self.model = AutoModel.from_pretrained(place, dtype=quick_dtype("cpu")).eval()

    def encode(self, texts: Sequence[str]) -> Floats32:
        """Vectors (N, 384) of the texts."""
        return self.compare(texts, [])[0]

    @torch.inference_mode()
    def compare(self, texts: Sequence[str], pairs: Sequence[tuple[int, int]]) -> tuple[Floats32, Floats32]:
        """Vectors (N, 384) of the texts and `greedy_matching` of pairs of them (M, 3), from the same passes.

        Texts of equal length in tokens are batched together: little is padding.
        """
        torch.set_num_threads(free_threads())
        tokens = self.tokenizer(list(texts), truncation=True, max_length=self.tokens)["input_ids"]
        order = sorted(range(len(texts)), key=lambda i: len(tokens[i]))
        vectors = np.zeros((len(texts), self.model.config.hidden_size), dtype=np.float32)
        wanted, held = {row for pair in pairs for row in pair}, {}
        for at in range(0, len(order), BATCH):
            batch = order[at : at + BATCH]
            states, mean = self._batch([tokens[i] for i in batch])
            vectors[batch] = mean.numpy()
            for row, each in zip(batch, states, strict=True):
                if row in wanted:  # without [CLS] and [SEP], which stand for no word
                    words = each[1 : len(tokens[row]) - 1]
                    held[row] = torch.nn.functional.normalize(words, dim=-1).numpy()
        scores = [greedy_matching(held[first], held[second]) for first, second in pairs]
        return vectors, np.array(scores, dtype=np.float32).reshape(-1, 3)

    def _batch(self, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
        """The last layer's token states (B, T, D), and their mean of unit length (B, D)."""
        tokens = self.tokenizer.pad({"input_ids": rows}, return_tensors="pt")
        states = self.model(**tokens).last_hidden_state.float()
        mask = tokens["attention_mask"][:, :, None].float()
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
        return states, torch.nn.functional.normalize(mean, dim=-1)


class MiddleStates:
    """A small language model's middle layer: the mean over the response's tokens, and its last token.

    A text is `prompt RS response` (ASCII record separator). Only the lower half of the layers is run. Of a long
    response the beginning and the end are read, since an answer's worth often shows where it ends. The
    states of the middle layer tell more of quality than the last's, which serve the next token (Skean et
    al. 2025).
    """

    prompt_tokens, head_tokens, tail_tokens = 96, 160, 64

    def __init__(self, *, models_dir: Path, cache_dir: Path) -> None:
        logging.disable_progress_bar()
        place = as_safetensors(Path(resolve("bundled:smollm2", models_dir)), cache_dir)
        self.tokenizer = AutoTokenizer.from_pretrained(place)
        self.model = AutoModel.from_pretrained(place, dtype=quick_dtype("cpu")).eval()
        self.model.layers = self.model.layers[: len(self.model.layers) // 2]
        self.model.norm = torch.nn.Identity()

    @torch.inference_mode()
    def encode(self, texts: Sequence[str]) -> Floats32:
        """Vectors (N, 2 D): the mean state of the response's tokens, then the last one's, each of unit
        length.
        """
        torch.set_num_threads(free_threads())
        return np.stack([self._one(text) for text in texts]).astype(np.float32)

    def _one(self, text: str) -> NDArray[np.float32]:
        prompt, _, response = text.rpartition("\x1e")
        begun = self.tokenizer(prompt, add_special_tokens=False)["input_ids"][-self.prompt_tokens :]
        ids = torch.tensor([begun + self._ends(response)])
        # (n, D)
        states = self.model(input_ids=ids, use_cache=False).last_hidden_state[0, len(begun) :].float()
        parts = torch.stack([states.mean(0), states[-1]])
        return torch.nn.functional.normalize(parts, dim=-1).flatten().numpy()

    def _ends(self, response: str) -> list[int]:
        """The response's tokens; of more than are read, the first and the last ones."""
        said = list(self.tokenizer(response or " ", add_special_tokens=False)["input_ids"])
        long = len(said) > self.head_tokens + self.tail_tokens
        return [*said[: self.head_tokens], *said[-self.tail_tokens :]] if long else said
