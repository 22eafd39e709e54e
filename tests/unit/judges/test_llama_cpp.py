"""llama.cpp for real: its server within this process over the demo's GGUF, and that server as any other one.

The weights are the same four-bit ones that transformers reads unpacked; llama.cpp multiplies them as they are, so
that the two agree as closely as that rounding lets them, and not to the last digit.
"""

import math

import httpx
import pytest
from django.conf import settings

from judges.backends.llama_cpp import LlamaCppBackend
from judges.backends.openai_compatible import OpenAICompatibleBackend
from judges.items import Item, Message, Question
from judges.methods import drive
from judges.methods.generative import Generative
from judges.methods.pairwise import Pairwise
from judges.methods.rubric import RubricScore
from judges.requests import Failure, GenerateRequest, LabelRequest, LabelScores, LikelihoodRequest, Texts
from judges.verdicts import Verdict

CAPITAL = GenerateRequest(
    (Message("user", "What is the capital of France? Answer in one word."),), max_tokens=8
)
ASK = LabelRequest((Message("user", "Is water wet? A: yes. B: no."),), (" A", " B"), prefill="Verdict:")


@pytest.fixture(scope="module")
def llama(weights):
    made = LlamaCppBackend(
        model="bundled:smollm2", models_dir=weights, cache_dir=settings.MODELS_CACHE,
        window=2048, threads=1, parallel=1,
    )  # fmt: skip
    made.warm_up()
    return made


@pytest.fixture(scope="module")
def server(llama):
    """The same server as a stranger would call it: by address, with the key."""
    return OpenAICompatibleBackend(
        url=f"{llama.server.listening_address}/v1", model="any", key=llama.inner.client.headers["Authorization"][7:],
        private_allowed=True, concurrency=2, window=2048, prices={"read": 1.0, "written": 2.0},
    )  # fmt: skip


def test_a_greedy_text_names_the_capital_as_that_of_transformers_does(llama, smollm2):
    (near,), (far,) = smollm2.answer([CAPITAL]), llama.answer([CAPITAL])
    assert isinstance(far, Texts) and "Paris" in far.texts[0]
    assert "Paris" in near.texts[0]
    assert 0 < far.usage.written <= 8 and far.usage.read + far.usage.reused > 20


def test_verdict_tokens_are_near_those_of_the_unpacked_weights(llama, smollm2, pair):
    near, far = (
        drive([Pairwise().steps(pair, Question("overall", "pairwise"), one.limits())], one.answer)[0]
        for one in (smollm2, llama)
    )
    assert all(isinstance(one, Verdict) for one in far)
    assert [one.order for one in far] == [(0, 1), (1, 0)]
    for here, there in zip(near, far, strict=True):
        assert there.detail["log_odds"] == pytest.approx(here.detail["log_odds"], abs=0.5)
        assert 0 < there.detail["mass"] <= 1
    averaged = sum(one.detail["log_odds"] for one in far) / 2
    assert far[0].detail["averaged_log_odds"] == pytest.approx(averaged, abs=1e-5)


def test_a_digit_behind_a_space_is_read(llama, smollm2, pair):
    question = Question("helpfulness", "rating", low=1, high=5)
    near, far = (
        drive([RubricScore().steps(pair, question, one.limits())], one.answer)[0][0]
        for one in (smollm2, llama)
    )
    assert isinstance(far, Verdict)
    assert far.detail["expected"] == pytest.approx(near.detail["expected"], abs=0.5)


def test_more_samples_than_slots_are_written_one_by_one(llama):
    asked = GenerateRequest(CAPITAL.messages, max_tokens=4, temperature=1.0, samples=3, seed=3)
    (answer,) = llama.answer([asked])
    assert isinstance(answer, Texts) and len(answer.texts) == 3
    assert not llama.inner.can.many


def test_a_begun_answer_is_gone_on_with_and_not_repeated(llama):
    asked = GenerateRequest(CAPITAL.messages, max_tokens=6, prefill="The capital of France is")
    (answer,) = llama.answer([asked])
    assert isinstance(answer, Texts) and not answer.texts[0].startswith("The capital")
    assert llama.inner.can.continues


def test_likelihoods_of_given_texts_are_none_of_its_business(llama):
    (answer,) = llama.answer([LikelihoodRequest(CAPITAL.messages, "Paris.")])
    assert isinstance(answer, Failure) and "no likelihoods" in answer.reason


def test_its_server_answers_only_who_has_the_key(llama, server):
    body = {"messages": [{"role": "user", "content": "Hi."}], "max_tokens": 1}
    address = f"{llama.server.listening_address}/v1/chat/completions"
    assert address.startswith("http://127.0.0.1:")
    assert httpx.post(address, json=body).status_code == 401
    (answer,) = server.answer([ASK])
    assert isinstance(answer, LabelScores)


def test_as_a_server_of_the_protocol_it_counts_tokens_and_cost(server):
    (answer,) = server.answer([ASK])
    assert isinstance(answer, LabelScores) and not answer.sampled
    assert 0 < answer.mass <= 1 and answer.mass == pytest.approx(
        sum(map(math.exp, answer.logprobs)), abs=1e-6
    )
    read = answer.usage.read + answer.usage.reused
    assert answer.usage.cost == pytest.approx((read + 2 * answer.usage.written) / 1e6)
    assert answer.usage.cost <= server.most_cost(ASK)


def test_side_by_side_requests_come_back_in_their_order(server):
    asked = [GenerateRequest((Message("user", f"Say the number {n}."),), max_tokens=6) for n in (11, 22, 33)]
    alone = [server.answer([one])[0].texts for one in asked]
    assert [one.texts for one in server.answer(asked)] == alone


def test_a_generative_judge_over_it_never_guesses(llama):
    pair = Item(1, (Message("user", "What is 2 + 2?"),), ("4.", "5."))
    method = Generative(samples=2, max_tokens=24, retries=1)
    outcomes = drive([method.steps(pair, Question("overall", "pairwise"), llama.limits())], llama.answer)[0]
    for one in outcomes:
        assert one.detail["samples"] if isinstance(one, Verdict) else one.raw


def test_a_text_beyond_the_window_is_a_failure(llama):
    (answer,) = llama.answer([GenerateRequest((Message("user", "word " * 4000),), max_tokens=2)])
    assert isinstance(answer, Failure) and "HTTP" in answer.reason
