"""Proxies that are trained whole: a tiny transformer learns what each labelling says, from the same beginning."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForSequenceClassification, PreTrainedTokenizerFast

from judges import reward_training
from judges.reward_training import MixTrainer, share_of_rate
from routing.mixes import full_reward_models, proxy_scores
from tests.unit.routing.making import make_table

WORDS = ["<pad>", "<unk>", "say", "hello", "good", "bad", "one", "two", "three", "four"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two layers of random weights over ten words."""
    place = tmp_path_factory.mktemp("tiny")
    words = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", unk_token="<unk>").save_pretrained(
        place
    )
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(WORDS), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
        num_attention_heads=2, num_labels=1, pad_token_id=0,
    )  # fmt: skip
    LlamaForSequenceClassification(config).save_pretrained(place)
    return place


def pairs_of(count: int, seed: int) -> tuple[list[tuple[str, str, str]], np.ndarray]:
    """Pairs of a good and a bad response, and which one is good."""
    rng = np.random.default_rng(seed)
    truth = rng.choice([-1, 1], size=count)
    tails = rng.choice(["one", "two", "three four", "four"], size=count)
    sides = [("good", "bad") if good < 0 else ("bad", "good") for good in truth]
    return [("say hello", f"{a} {t}", f"{t} {b}") for (a, b), t in zip(sides, tails, strict=True)], truth


def test_a_model_learns_what_its_labelling_says(folder: Path) -> None:
    trainer = MixTrainer(str(folder), rate=0.02, epochs=4)
    (pairs, truth), (held, gold) = pairs_of(96, 0), pairs_of(40, 1)
    gold[:5] = 0  # ties test nothing
    labellings = np.stack([truth, -truth, np.zeros_like(truth), truth])
    right, wrong, untaught, again = trainer.accuracies(pairs, labellings, held, gold)
    assert right > 0.9 and wrong < 0.1
    assert again == right  # every labelling begins at the same model
    trainer.model.load_state_dict(trainer.begun)
    begun = np.sign(trainer.margins(held[5:])) == gold[5:]
    assert untaught == begun.mean()


def test_margins_are_those_of_each_response_alone(folder: Path) -> None:
    trainer = MixTrainer(str(folder))
    pairs, _ = pairs_of(6, 2)
    with torch.inference_mode():
        alone = [
            [
                float(trainer.model(**trainer.tokenizer(f"{prompt}\n\n{said}", return_tensors="pt")).logits)
                for said in both
            ]
            for prompt, *both in pairs
        ]
    np.testing.assert_allclose(trainer.margins(pairs), [second - first for first, second in alone], atol=1e-5)


def test_the_rate_rises_and_falls_to_a_tenth() -> None:
    rates = [share_of_rate(step, 100) for step in range(101)]
    assert rates[:3] == pytest.approx([1 / 3, 2 / 3, 1])
    assert rates[100] == pytest.approx(0.1)
    assert rates[3:] == sorted(rates[3:], reverse=True)


def test_proxies_are_trained_whole_only_where_a_worker_or_a_command_allows_it(
    folder: Path, monkeypatch
) -> None:
    monkeypatch.setattr(
        reward_training, "loaded_trainer", lambda model: MixTrainer(model, rate=0.02, epochs=4)
    )
    table, _ = make_table(prompts=130, models=2)
    pairs, truth = pairs_of(table.size, 3)
    said = [text for _, *both in pairs for text in both]
    told = replace(
        table, responses=tuple(said), prompts=("say hello",) * 130, hyper={"reward_model": str(folder)}
    )
    table = replace(told, verdict=np.stack([-truth, -truth]).astype(float), cache={})
    rows, held = np.arange(90), np.arange(90, 130)
    mixes = np.stack(
        [np.ones(90, dtype=bool), np.zeros(90, dtype=bool)]
    )  # people are right, the judge is wrong
    with full_reward_models():
        trained = proxy_scores(table, mixes, rows, truth[rows], (held, truth[held]))
    assert trained[0] > 0.9 and trained[1] < 0.1
    monkeypatch.delattr(reward_training, "loaded_trainer")
    heads = proxy_scores(table, mixes, rows, truth[rows], (held, truth[held]))
    assert heads.shape == (2,)
