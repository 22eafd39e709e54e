"""Methods that join several voices, on real models that differ: the small one and one of random weights."""

import math

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from judges.backends.transformers import TransformersBackend
from judges.encoders import MiddleStates
from judges.items import Question
from judges.methods import drive
from judges.methods.density_ratio import DensityRatio
from judges.methods.implicit_reward import ImplicitReward
from judges.methods.jury import Jury
from judges.methods.principles import Principles
from judges.methods.probe import Probe
from judges.requests import Utilities
from judges.verdicts import sigmoid
from tests.unit.judges.conftest import Plain

OVERALL = Question("overall", "pairwise", steps=2)
DEFAULT = ("system", "You are a helpful AI assistant named SmolLM, trained by Hugging Face")


@pytest.fixture(scope="module")
def other(tmp_path_factory, smollm2) -> TransformersBackend:
    """Two layers of random weights under the small model's tokenizer."""
    folder = tmp_path_factory.mktemp("other")
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(smollm2.tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    smollm2.tokenizer.save_pretrained(folder)
    return TransformersBackend(
        model=str(folder), models_dir=folder, cache_dir=folder, device="cpu", dtype="float32", threads=1
    )


def by_role(**backends):
    return lambda requests: [backends[one.role.partition(".")[0]].answer([one])[0] for one in requests]


def likelihoods(model, item, system=DEFAULT):
    before = model.chat(system, ("user", item.prompt[0].content))
    return np.array([model.likelihood(before, text) for text in item.responses])


def counts(model, item):
    return np.array(
        [len(model.tokenizer(text, add_special_tokens=False)["input_ids"]) for text in item.responses]
    )


def test_implicit_reward_is_beta_times_the_two_models_log_ratio(smollm2, other, plain, pair):
    method = ImplicitReward(beta=0.3)
    ((verdict,),) = drive(
        [method.steps(pair, OVERALL, smollm2.limits())], by_role(judge=smollm2, reference=other)
    )
    rewards = 0.3 * (likelihoods(plain, pair) - likelihoods(Plain(other), pair))
    assert abs(rewards[1] - rewards[0]) > 0.1
    assert verdict.detail["scores"] == pytest.approx(rewards.tolist(), abs=1e-3)
    assert verdict.value["probability"] == pytest.approx(sigmoid(rewards[1] - rewards[0]), abs=3e-4)


def test_density_ratio_takes_the_weak_models_likelihood_from_the_strong_ones(smollm2, other, plain, pair):
    method = DensityRatio(criteria="Be right.", weak="weak", scale=2.0)
    ((verdict,),) = drive([method.steps(pair, OVERALL, smollm2.limits())], by_role(judge=smollm2, weak=other))
    guide = ("system", "Write the best possible answer. What counts: Be right.")
    n = counts(plain, pair)
    ratios = 2 * (likelihoods(plain, pair, guide) - likelihoods(Plain(other), pair)) / n
    assert verdict.detail["scores"] == pytest.approx(ratios.tolist(), abs=1e-3)
    assert verdict.value["probability"] == pytest.approx(sigmoid(ratios[1] - ratios[0]), abs=3e-4)


@pytest.mark.parametrize("combine", ["mean", "vote", "learned"])
def test_a_jury_of_two_models_combines_their_log_odds(smollm2, other, plain, pair, combine):
    own = {"pairwise": {"name": "implicit-reward", "parameters": {"own": True, "beta": 2.0}}}
    members = (
        {"name": "small", "methods": own, "weight": 0.5},
        {"name": "other", "methods": own, "weight": 1.5},
    )
    method = Jury(members=members, combine=combine)
    ((verdict,),) = drive(
        [method.steps(pair, OVERALL, smollm2.limits())], by_role(small=smollm2, other=other)
    )
    means = [2 * likelihoods(model, pair) / counts(plain, pair) for model in (plain, Plain(other))]
    z = [one[1] - one[0] for one in means]
    wanted = {
        "mean": sigmoid((0.5 * z[0] + 1.5 * z[1]) / 2),
        "vote": (0.5 * (z[0] > 0) + 1.5 * (z[1] > 0)) / 2,
        "learned": sigmoid(0.5 * z[0] + 1.5 * z[1]),
    }[combine]
    assert verdict.value["probability"] == pytest.approx(wanted, abs=5e-4)


@pytest.mark.parametrize("combine", ["vote", "worst"])
def test_principles_vote_or_the_most_decided_one_speaks(smollm2, pair, combine):
    principles, weights = ("Be honest.", "Be brief.", "Be kind."), (1.0, 2.0, 1.0)
    ((mean,),) = drive(
        [Principles(principles=principles, weights=weights).steps(pair, OVERALL, smollm2.limits())],
        smollm2.answer,
    )
    method = Principles(principles=principles, weights=weights, combine=combine)
    ((verdict,),) = drive([method.steps(pair, OVERALL, smollm2.limits())], smollm2.answer)
    z = [one["log_odds"] for one in mean.detail["principles"]]
    voted = (1.0 * (z[0] > 0) + 2.0 * (z[1] > 0) + 1.0 * (z[2] > 0)) / 4
    strongest = max(range(3), key=lambda k: abs(z[k]) * weights[k])
    wanted = voted if combine == "vote" else sigmoid(z[strongest])
    assert verdict.value["probability"] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize(
    "response", ["It is Paris.", "It is Paris. " * 56, "First. " + "It is Paris. " * 90 + "So it ends."]
)
def test_the_middle_layers_vectors_are_the_whole_models(response, smollm2, plain, settings):
    encoder = MiddleStates(models_dir=settings.MODELS_DIR, cache_dir=settings.MODELS_CACHE)
    encoder.model.float()
    (vector,) = encoder.encode([f"What is the capital of France?\x1e{response}"])
    ids = plain.tokenizer("What is the capital of France?")["input_ids"]
    said = plain.tokenizer(response)["input_ids"]
    said = said if len(said) <= 224 else said[:160] + said[-64:]  # of a long one its beginning and its end
    with torch.inference_mode():
        layers = plain.model(torch.tensor([ids + said]), output_hidden_states=True).hidden_states
    states = layers[len(plain.model.model.layers) // 2][0, len(ids) :].double().numpy()
    wanted = [part / np.linalg.norm(part) for part in (states.mean(0), states[-1])]
    assert vector == pytest.approx(np.concatenate(wanted), abs=2e-2)
    assert float(vector @ np.concatenate(wanted)) == pytest.approx(2, abs=1e-2)


def test_a_probes_pair_is_the_utilities_difference_with_its_spread_integrated_out(pair):
    def answer(requests):
        return [Utilities((0.2, 1.7), spread=0.8, learnt_from=60) for _ in requests]

    ((verdict,),) = drive([Probe().steps(pair, OVERALL, None)], answer)
    rng = np.random.default_rng(0)
    drawn = 1 / (1 + np.exp(-(1.5 + 0.8 * rng.normal(size=400_000))))
    assert verdict.value["probability"] == pytest.approx(float(drawn.mean()), abs=0.005)
    assert verdict.value["probability"] < 1 / (1 + math.exp(-1.5))
