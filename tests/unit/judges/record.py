"""Writes `answers.json`: what real models answered to every method's requests about two instances.

    SWITCHYARD_HOME=var/test .venv/bin/python tests/unit/judges/record.py

SmolLM2-135M-Instruct in f32 answers labels, likelihoods and texts; the reward model is a Llama of two layers with
random weights (seed 0); checks really run; utilities stand in for a fitted head.
Kept as test data, so that every method is tested against real answers without a model.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

import django  # noqa: E402

django.setup()

import torch  # noqa: E402
from django.conf import settings  # noqa: E402
from transformers import LlamaConfig, LlamaForSequenceClassification  # noqa: E402

from judges.backends.checks import ChecksBackend  # noqa: E402
from judges.backends.reward_model import RewardModelBackend  # noqa: E402
from judges.backends.transformers import TransformersBackend  # noqa: E402
from judges.methods import drive  # noqa: E402
from judges.requests import (  # noqa: E402
    CheckRequest,
    RewardRequest,
    Utilities,
    UtilityRequest,
    cache_key,
    to_json,
)
from tests.unit.judges.recorded import ANSWERS, CASES  # noqa: E402


def tiny_reward_model(folder: str, tokenizer) -> RewardModelBackend:
    """Two layers of random weights under the small model's tokenizer."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_labels=1,
        num_attention_heads=4, num_key_value_heads=2, pad_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    LlamaForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return RewardModelBackend(model=folder, models_dir=Path(folder), cache_dir=Path(folder), device="cpu")


def main() -> None:
    model = TransformersBackend(
        model="bundled:smollm2",
        models_dir=settings.MODELS_DIR,
        cache_dir=settings.MODELS_CACHE,
        device="cpu",
        dtype="float32",
    )
    kept: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        rewards, checks = tiny_reward_model(folder, model.tokenizer), ChecksBackend()

        def answer(requests):
            answers = []
            for request in requests:
                if isinstance(request, RewardRequest):
                    made = rewards.answer([request])[0]
                elif isinstance(request, CheckRequest):
                    made = checks.answer([request])[0]
                elif isinstance(request, UtilityRequest):
                    made = Utilities((0.25, 1.5, -0.5)[:2], spread=0.4, line=(2.0, 0.5), learnt_from=80)
                else:
                    made = model.answer([request])[0]
                kept[cache_key(request, model="recorded")] = to_json(made)
                answers.append(made)
            return answers

        for name, (method, item, question) in CASES.items():
            print(name, drive([method.steps(item, question, model.limits())], answer)[0][0], file=sys.stderr)
    ANSWERS.write_text(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


main()
