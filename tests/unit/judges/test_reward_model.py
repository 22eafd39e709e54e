"""The reward model's backend and method against the same model called by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForSequenceClassification

from judges.backends.reward_model import RewardModelBackend
from judges.items import Question
from judges.methods import drive
from judges.methods.reward import Reward
from judges.requests import RewardRequest
from judges.verdicts import sigmoid


@pytest.fixture(scope="module")
def tiny(tmp_path_factory, smollm2) -> RewardModelBackend:
    """Two layers of random weights, the small model's tokenizer."""
    folder = tmp_path_factory.mktemp("reward")
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(smollm2.tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_labels=1,
        num_attention_heads=4, num_key_value_heads=2, pad_token_id=smollm2.tokenizer.eos_token_id,
    )  # fmt: skip
    LlamaForSequenceClassification(config).save_pretrained(folder)
    smollm2.tokenizer.save_pretrained(folder)
    return RewardModelBackend(
        model=str(folder), models_dir=folder, cache_dir=folder, device="cpu", dtype="float32", dropout=0.3
    )


def by_hand(tiny, plain, item, response):
    default = ("system", "You are a helpful AI assistant named SmolLM, trained by Hugging Face")
    chat = plain.chat(default, ("user", item.prompt[0].content), ("assistant", response))
    text = chat.removesuffix("<|im_start|>assistant\n")
    ids = plain.tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        return float(tiny.model(ids).logits[0, 0])


def test_a_pair_is_the_logistic_of_the_rewards_difference(tiny, plain, pair):
    ((verdict,),) = drive([Reward().steps(pair, Question("overall", "pairwise"), tiny.limits())], tiny.answer)
    rewards = [by_hand(tiny, plain, pair, response) for response in pair.responses]
    assert verdict.detail["rewards"] == pytest.approx(rewards, abs=1e-5)
    assert verdict.value["probability"] == pytest.approx(sigmoid(rewards[1] - rewards[0]), abs=1e-5)
    assert verdict.detail["spread"] == 0.0


def test_dropout_masks_give_votes_and_spread_and_the_seed_repeats_them(tiny, pair):
    question = Question("overall", "pairwise")
    method = Reward(samples=16)
    ((verdict,),) = drive([method.steps(pair, question, tiny.limits())], tiny.answer)
    ((again,),) = drive([method.steps(pair, question, tiny.limits())], tiny.answer)
    assert verdict.detail["spread"] > 0
    assert verdict.value == again.value
    beside = replace(pair, id=pair.id + 1, responses=pair.responses[::-1])
    asked = [method.steps(one, question, tiny.limits()) for one in (beside, pair)]
    assert drive(asked, tiny.answer)[1][0].value == verdict.value  # whatever else is in the batch
    requests = next(method.steps(pair, question, tiny.limits()))
    assert all(isinstance(one, RewardRequest) for one in requests)
    table = np.array([answer.values for answer in tiny.answer(requests)])
    differences = table[1] - table[0]
    assert verdict.detail["votes"] == pytest.approx(np.mean(differences > 0))
    assert verdict.detail["spread"] == pytest.approx(differences.std(), abs=1e-6)
    assert verdict.value["probability"] == pytest.approx(np.mean([sigmoid(d) for d in differences]), abs=1e-5)
