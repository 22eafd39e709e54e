"""A small model trained for a while: SmolLM2-135M where a GPU is at hand, the tiny model elsewhere."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from django.conf import settings
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from exports.training.tiny import causal, tokenizer
from judges.backends.conversion import as_safetensors
from judges.backends.weights import resolve

HELD_OUT = 0.1
HELD_ON_CPU = 64  # rows: a processor takes a while
LEAST = 8  # rows
LENGTH = 1024


def rows(given: list[dict[str, Any]]) -> Dataset:
    return Dataset.from_list(given)


def model_and_words() -> tuple[str, Any, Any, Any]:
    """(name, model, reference, tokenizer)."""
    if not torch.cuda.is_available():
        words = tokenizer()
        return "tiny", causal(words), causal(words), words
    place = as_safetensors(Path(resolve("bundled:smollm2", settings.MODELS_DIR)), settings.MODELS_CACHE)
    model, reference = (AutoModelForCausalLM.from_pretrained(place, dtype=torch.bfloat16) for _ in range(2))
    return "smollm2-135m", model, reference, AutoTokenizer.from_pretrained(place)


def longer(given: Dataset, *, steps: int, seed: int) -> dict[str, Any]:
    """DPO over pairs: {"trainer", "model", "device", "steps", "loss", "held_out_accuracy", "held_out"}."""
    return trained(DPOTrainer, DPOConfig, given, steps=steps, seed=seed, score="eval_rewards/accuracies")


def unpaired(given: Dataset, *, steps: int, seed: int) -> dict[str, Any]:
    """KTO over single responses; held out is the margin between good and bad ones' rewards, where both are there."""
    found = trained(KTOTrainer, KTOConfig, given, steps=steps, seed=seed, score="eval_rewards/margins")
    margin = found.pop("held_out_accuracy")
    return {**found, "held_out_margin": margin}


def trained(
    trainer: Any, config: Any, given: Dataset, *, steps: int, seed: int, score: str
) -> dict[str, Any]:
    if len(given) < LEAST:
        return {"steps": 0, "reason": f"{len(given)} rows are too few to train on and hold some out"}
    parts = given.train_test_split(test_size=max(2, int(len(given) * HELD_OUT)), seed=seed)
    name, model, reference, words = model_and_words()
    cuda = torch.cuda.is_available()
    with TemporaryDirectory() as folder:
        arguments = config(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=8 if cuda else 2,
            per_device_eval_batch_size=8 if cuda else 2,
            learning_rate=5e-6 if cuda else 1e-3,
            max_length=LENGTH if cuda else LENGTH // 4,
            report_to=[],
            save_strategy="no",
            use_cpu=not cuda,
            bf16=cuda,
            disable_tqdm=True,
            seed=seed,
        )
        made = trainer(
            model=model, ref_model=reference, args=arguments, processing_class=words,
            train_dataset=parts["train"], eval_dataset=few(parts["test"], cuda),
        )  # fmt: skip
        loss = made.train().training_loss
        held = made.evaluate()
    return {
        "trainer": trainer.__name__,
        "model": name,
        "device": "cuda" if cuda else "cpu",
        "steps": steps,
        "loss": loss,
        "held_out_accuracy": held.get(score),
        "held_out": len(made.eval_dataset),
    }


def few(rows: Dataset, cuda: bool) -> Dataset:
    """The held-out rows that there is time for."""
    return rows if cuda else rows.select(range(min(HELD_ON_CPU, len(rows))))
