"""One real optimiser step of each TRL trainer that takes a format, on the tiny model.

Checked against TRL 1.16: DPO, KTO, reward, GRPO and RLOO trainers are stable there, ORPO, CPO, TPO and online DPO
experimental; the BCO, PRM, XPO and Nash-MD trainers have left the package (DPO's loss `bco_pair` is BCO on pairs).
"""

from collections.abc import Callable
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from trl import (
    DPOConfig,
    DPOTrainer,
    GRPOConfig,
    GRPOTrainer,
    KTOConfig,
    KTOTrainer,
    RewardConfig,
    RewardTrainer,
    RLOOConfig,
    RLOOTrainer,
)
from trl.experimental.cpo import CPOConfig, CPOTrainer
from trl.experimental.online_dpo import OnlineDPOConfig, OnlineDPOTrainer
from trl.experimental.orpo import ORPOConfig, ORPOTrainer
from trl.experimental.tpo import TPOConfig, TPOTrainer

from exports.training.tiny import causal, scorer, step_scorer, tokenizer

ROWS = 8  # of the export that the step sees
LENGTH = 512  # tokens
Outcome = dict[str, Any]


def preference(rows: Dataset) -> dict[str, Outcome]:
    """{trainer: its outcome} for the trainers of preference rows, and the losses that give them other names."""
    return {
        **pairs(rows),
        "DPOTrainer, ipo": dpo(rows, loss_type=["ipo"]),
        "DPOTrainer, bco_pair": dpo(rows, loss_type=["bco_pair"]),
        "ORPOTrainer": step(ORPOTrainer, ORPOConfig, rows, max_length=LENGTH),
        "CPOTrainer": step(CPOTrainer, CPOConfig, rows, max_length=LENGTH),
        "CPOTrainer, simpo": step(
            CPOTrainer, CPOConfig, rows, max_length=LENGTH, loss_type="simpo", cpo_alpha=0.0
        ),
    }


def pairs(rows: Dataset) -> dict[str, Outcome]:
    """The same for formats whose rows are preference rows with more columns."""
    return {"DPOTrainer": dpo(rows), **reward(rows)}


def soft(rows: Dataset) -> dict[str, Outcome]:
    """Robust DPO with the rows' own flip rate, plain DPO, and the reward trainer with its margins."""
    rate = min(max(sum(rows["flip"]) / len(rows), 0.01), 0.45)
    return {**pairs(rows), "DPOTrainer, robust": dpo(rows, loss_type=["robust"], label_smoothing=rate)}


def reward(rows: Dataset) -> dict[str, Outcome]:
    return {"RewardTrainer": step(RewardTrainer, RewardConfig, rows, make=scorer, max_length=None)}


def dpo(rows: Dataset, **given: Any) -> Outcome:
    return step(DPOTrainer, DPOConfig, rows, reference=True, max_length=LENGTH, **given)


def stepwise(rows: Dataset) -> dict[str, Outcome]:
    """A step of a token classifier with a label at each step's last token, as TRL's former PRMTrainer put it."""
    words = tokenizer()
    model = step_scorer(words)
    before = [weight.detach().clone() for weight in model.parameters()]
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    losses = [model(**supervised(row, words)).loss for row in rows.select(range(min(ROWS, len(rows))))]
    loss = torch.stack(losses).mean()
    loss.backward()
    optimiser.step()
    moved = any(not torch.equal(old, new) for old, new in zip(before, model.parameters()))
    return {"token classifier": {"rows": len(rows), "loss": loss.item(), "moved": moved}}


def supervised(row: dict[str, Any], words: Any) -> dict[str, torch.Tensor]:
    """{"input_ids", "labels"}, (1, T) each; -100 everywhere but at a step's last token."""
    ids = words(row["prompt"])["input_ids"]
    labels = [-100] * len(ids)
    for text, right in zip(row["completions"], row["labels"], strict=True):
        part = words(text)["input_ids"]
        ids, labels = ids + part, labels + [-100] * (len(part) - 1) + [int(right)]
    return {"input_ids": torch.tensor([ids]), "labels": torch.tensor([labels])}


def unpaired(rows: Dataset) -> dict[str, Outcome]:
    given: dict[str, Any] = {"reference": True, "max_length": LENGTH}
    return {
        "KTOTrainer": step(KTOTrainer, KTOConfig, rows, **given),
        "KTOTrainer, apo_zero_unpaired": step(
            KTOTrainer, KTOConfig, rows, loss_type="apo_zero_unpaired", **given
        ),
    }


def triple(rows: Dataset) -> dict[str, Outcome]:
    return {"TPOTrainer": step(TPOTrainer, TPOConfig, rows, max_length=LENGTH)}


def prompt_only(rows: Dataset) -> dict[str, Outcome]:
    few: dict[str, Any] = {"num_generations": 2, "max_completion_length": 8}
    return {
        "GRPOTrainer": step(GRPOTrainer, GRPOConfig, rows, reward_funcs=spread, **few),
        "RLOOTrainer": step(RLOOTrainer, RLOOConfig, rows, reward_funcs=spread, beta=0.0, **few),
        "OnlineDPOTrainer": step(
            OnlineDPOTrainer, OnlineDPOConfig, rows, reference=True, reward_funcs=spread, max_new_tokens=8
        ),
    }


def spread(completions: list[Any], **columns: Any) -> list[float]:
    """A reward that differs within every group, so that the step has an advantage to follow."""
    return [float(place % 2) for place, _ in enumerate(completions)]


def step(
    trainer: Any,
    config: Any,
    rows: Dataset,
    *,
    make: Callable[..., Any] = causal,
    reference: bool = False,
    reward_funcs: Any = None,
    **given: Any,
) -> Outcome:
    """One optimiser step; {"rows", "loss", "moved"}: `moved` says whether a weight changed."""
    words = tokenizer()
    model = make(words)
    more: dict[str, Any] = {"reward_funcs": reward_funcs} if reward_funcs else {}
    if reference:
        more["ref_model"] = make(words)
    before = [weight.detach().clone() for weight in model.parameters()]
    with TemporaryDirectory() as folder:
        arguments = config(
            output_dir=folder,
            max_steps=1,
            per_device_train_batch_size=2,
            learning_rate=0.01,
            report_to=[],
            save_strategy="no",
            use_cpu=not torch.cuda.is_available(),
            bf16=False,
            disable_tqdm=True,
            logging_strategy="no",
            **given,
        )
        made = trainer(model=model, args=arguments, train_dataset=rows, processing_class=words, **more)
        loss = made.train().training_loss
    moved = any(not torch.equal(old, new) for old, new in zip(before, model.parameters()))
    return {"rows": len(rows), "loss": loss, "moved": moved}
