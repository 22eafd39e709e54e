"""Full reward models, one for each labelling of the same pairs: what HyPER trains on its candidate mixes.

Every labelling begins at the same pretrained model with the same fresh scalar head, and takes its decided pairs in one
pass: loss -log σ(r(preferred) - r(other)) (Bradley and Terry), AdamW at a rate that rises over the first 3 % of the
steps and falls to a tenth (Miranda et al. 2024, arXiv 2410.19133: one epoch, 1e-5 to 1e-6, warm-up 0.03). It is then
held against decided verdicts that it did not see. Torch lives here, so only registries' strings lead to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from django.conf import settings
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from judges.backends.conversion import as_safetensors
from judges.backends.weights import resolve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pair = tuple[str, str, str]  # prompt, first and second response
TOKENS = 512
BATCH = 16  # pairs a step
WARM_UP, LAST = 0.03, 0.1


class MixTrainer:
    """A pretrained model that is trained anew on each labelling of the same m pairs."""

    def __init__(self, folder: str, *, rate: float = 1e-5, epochs: int = 1, seed: int = 0) -> None:
        self.rate, self.epochs, self.seed = rate, epochs, seed
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        torch.manual_seed(seed)  # of the fresh head
        self.model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=1, dtype=torch.float32
        ).to(self.device)
        self.tokenizer.pad_token = self.tokenizer.pad_token or self.tokenizer.eos_token
        self.model.config.pad_token_id = self.tokenizer.pad_token_id
        self.begun = {name: value.clone() for name, value in self.model.state_dict().items()}

    def accuracies(self, pairs: Sequence[Pair], verdicts: Ints, held: Sequence[Pair], truth: Ints) -> Floats:
        """How many of the decided verdicts on `held` (v,) the model of each labelling (C, m) ranks rightly (C,).

        Verdicts are -1, 0 (a tie, which teaches and tests nothing) and 1.
        """
        tested = [pair for pair, verdict in zip(held, truth, strict=True) if verdict]
        sides = np.array([verdict for verdict in truth if verdict])
        found = np.zeros(len(verdicts))
        for place, verdict in enumerate(verdicts):
            self.train(pairs, verdict)
            right = np.sign(self.margins(tested)) == sides
            found[place] = right.mean() if len(right) else 0.0
        return found

    def train(self, pairs: Sequence[Pair], verdict: Ints) -> None:
        """One labelling (m,), from the beginning."""
        self.model.load_state_dict(self.begun)
        self.model.train()
        decided = np.flatnonzero(verdict)
        rng = np.random.default_rng(self.seed)
        order = np.concatenate([rng.permutation(decided) for _ in range(self.epochs)])
        steps = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
        optimiser = torch.optim.AdamW(self.model.parameters(), lr=self.rate)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: share_of_rate(step, len(steps)))
        for rows in steps:
            margin = self.margin_of([pairs[row] for row in rows])
            sign = torch.tensor(verdict[rows], dtype=margin.dtype, device=self.device)
            loss = -nn.functional.logsigmoid(sign * margin).mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            optimiser.step()
            schedule.step()

    @torch.inference_mode()
    def margins(self, pairs: Sequence[Pair]) -> Floats:
        """The second response's reward less the first's (v,)."""
        self.model.eval()
        parts = [self.margin_of(pairs[at : at + BATCH]) for at in range(0, len(pairs), BATCH)]
        return torch.cat(parts).double().cpu().numpy() if parts else np.zeros(0)

    def margin_of(self, pairs: Sequence[Pair]) -> Tensor:
        """Second less first reward of a batch (B,)."""
        texts = [self.text(prompt, said) for prompt, *both in pairs for said in both]
        tokens = self.tokenizer(texts, truncation=True, max_length=TOKENS, padding=True, return_tensors="pt")
        rewards = self.model(**tokens.to(self.device)).logits[:, 0].float().view(-1, 2)
        return rewards[:, 1] - rewards[:, 0]

    def text(self, prompt: str, response: str) -> str:
        """The exchange in the model's own chat template, else as two paragraphs."""
        if self.tokenizer.chat_template is None:
            return f"{prompt}\n\n{response}"
        turns = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False))


def share_of_rate(step: int, steps: int) -> float:
    """The part of the full rate at a step: up over the warm-up, then down in a straight line to `LAST`."""
    warm = max(int(np.ceil(WARM_UP * steps)), 1)
    if step < warm:
        return (step + 1) / warm
    return 1 - (1 - LAST) * (step - warm) / max(steps - warm, 1)


@lru_cache(maxsize=1)
def loaded_trainer(model: str) -> MixTrainer:
    """The trainer of a model (a path, a hub id, a GGUF or `bundled:NAME`), loaded once a process."""
    place = resolve(model, settings.MODELS_DIR)
    return MixTrainer(
        str(as_safetensors(Path(place), settings.MODELS_CACHE)) if place.endswith(".gguf") else place
    )
