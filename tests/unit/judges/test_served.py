"""The OpenAI-compatible backend against a real model: over HTTP the verdicts are those of the model at hand."""

import math
from dataclasses import replace

import pytest

from judges import requests
from judges.backends.openai_compatible import (
    OpenAICompatibleBackend,
    begins,
    spells,
    tail_likelihood,
)
from judges.items import Item, Message, Question
from judges.methods import drive
from judges.methods.density_ratio import DensityRatio
from judges.methods.follow_up import FollowUp
from judges.methods.generative import Generative
from judges.methods.implicit_reward import ImplicitReward
from judges.methods.pairwise import Pairwise
from judges.methods.principles import Principles
from judges.methods.rubric import RubricScore
from judges.methods.self_reference import SelfReference
from judges.verdicts import Verdict
from tests.unit.judges.serving import served

pytestmark = pytest.mark.slow

OVERALL = Question("overall", "pairwise", steps=2)
FOLLOW_UPS = {
    "pleased": ("That is great, thank you!",),
    "displeased": ("That is wrong.", "¡No, eso está mal! 🙁"),
}
ABROAD = Item(
    id=8,
    prompt=(Message("user", "¿Cuál es la capital de Francia? 🇫🇷"),),
    responses=("París — «la ciudad de la luz» ✨", "我想是里昂。"),
)


@pytest.fixture(scope="module")
def server(smollm2):
    with served(smollm2.model, smollm2.tokenizer) as made:
        yield made


def remote(server, **options):
    return OpenAICompatibleBackend(
        url=server.url, model="smollm2", private_allowed=True, concurrency=2, **{"attempts": 1, **options}
    )


def judged(method, item, question, backend):
    (outcomes,) = drive([method.steps(item, question, backend.limits())], backend.answer)
    assert all(isinstance(one, Verdict) for one in outcomes), outcomes
    return outcomes


@pytest.mark.parametrize("item", ["pair", "abroad"])
@pytest.mark.parametrize(
    "method",
    [
        DensityRatio(criteria="It must be true."),
        DensityRatio(per_token=False, exemplars=(("1 + 1?", "2."),)),
        FollowUp(**FOLLOW_UPS),
        ImplicitReward(own=True),
    ],
    ids=["density-ratio", "density-ratio-exemplar", "follow-up", "implicit-reward"],
)
def test_likelihood_methods_say_the_same_over_http(method, item, smollm2, server, pair):
    asked = pair if item == "pair" else ABROAD
    (near,), (far,) = (judged(method, asked, OVERALL, backend) for backend in (smollm2, remote(server)))
    assert far.detail["scores"] == pytest.approx(near.detail["scores"], abs=2e-3)
    assert far.value["probability"] == pytest.approx(near.value["probability"], abs=1e-3)
    assert far.value["strength"] == near.value["strength"]
    assert far.usage.read + far.usage.reused > 0


@pytest.mark.parametrize(
    ("method", "question"),
    [
        (Pairwise(), OVERALL),
        (Principles(principles=("Be honest.", "Be brief.")), OVERALL),
        (RubricScore(), Question("helpfulness", "rating", low=1, high=5)),
    ],
    ids=["pairwise", "principles", "rubric"],
)
def test_verdict_tokens_say_the_same_over_http(method, question, smollm2, server, pair):
    near, far = (judged(method, pair, question, backend) for backend in (smollm2, remote(server)))
    for here, there in zip(near, far, strict=True):
        assert there.order == here.order
        if question.task_type == "rating":
            assert there.detail["expected"] == pytest.approx(here.detail["expected"], abs=0.05)
        else:
            assert there.value["probability"] == pytest.approx(here.value["probability"], abs=0.02)


def test_a_greedy_text_is_the_models_own(smollm2, server):
    asked = requests.GenerateRequest((Message("user", "Name the capital of France."),), max_tokens=12)
    (near,), (far,) = smollm2.answer([asked]), remote(server).answer([asked])
    assert isinstance(far, requests.Texts) and far.texts == near.texts
    assert 0 < far.usage.written <= 12


def test_a_method_of_three_rounds_runs_whole(smollm2, server, pair):
    """Its own answer, critiques and nearness, verdict tokens: all kinds of requests over one server."""
    method = SelfReference(answer_tokens=6, critique_tokens=6)
    near, far = (judged(method, pair, OVERALL, backend) for backend in (smollm2, remote(server)))
    assert far[0].detail["own_answer"] == near[0].detail["own_answer"]
    assert far[0].detail["strength"] == pytest.approx(near[0].detail["strength"], abs=2e-3)


def test_a_likelihood_is_the_tail_of_the_prompts_own(smollm2, server):
    asked = requests.LikelihoodRequest((Message("user", "Hi."),), "Grüße aus 東京 👋🏽!")
    (near,), (far,) = smollm2.answer([asked]), remote(server).answer([asked])
    assert isinstance(far, requests.Likelihood)
    assert (far.tokens, far.total) == (near.tokens, pytest.approx(near.total, abs=2e-3))
    assert server.asked[-1]["prompt_logprobs"] == 0 and server.asked[-1]["continue_final_message"] is True


# ---------------------------------------------------------------- what a server does not take


def test_without_log_probabilities_samples_come_near_the_tokens_probabilities(smollm2, pair):
    """Eight samples a draw, forty draws: their mean share lies within its interval around the model's own."""
    with served(smollm2.model, smollm2.tokenizer, refuses=("logprobs",)) as server:
        backend = remote(server)
        messages = (Message("user", "Say A or B."),)
        (told,) = smollm2.answer([requests.LabelRequest(messages, (" A", " B"), prefill="Verdict:")])
        answer = backend.answer([requests.LabelRequest(messages, (" A", " B"), prefill="Verdict:")])[0]
        assert isinstance(answer, requests.LabelScores) and answer.sampled == 8
        assert not backend.can.logprobs and backend.can.many
        assert answer.mass <= 1 and abs(answer.mass - told.mass) < 0.5
        backend.answer([requests.LabelRequest(messages, (" A", " B"), prefill="Verdict:")])
        assert ["logprobs" in body for body in server.asked] == [True, True, False, False]


def test_a_hosted_server_that_will_not_go_on_with_a_begun_answer_is_asked_without(smollm2, pair):
    with served(smollm2.model, smollm2.tokenizer, refuses=("continue_final_message",)) as server:
        backend = remote(server)
        judged(Pairwise(), pair, OVERALL, backend)
        assert not backend.can.continues and backend.can.logprobs
        server.asked.clear()
        judged(Pairwise(), pair, OVERALL, backend)
        assert [body["messages"][-1]["role"] for body in server.asked] == ["user", "user"]


def test_samples_are_asked_for_one_by_one_where_there_are_few_slots(smollm2):
    asked = requests.GenerateRequest(
        (Message("user", "Name a colour."),), max_tokens=4, temperature=1.0, samples=3, seed=7
    )
    with served(smollm2.model, smollm2.tokenizer, slots=1) as server:
        backend = remote(server, prices={"read": 1.0, "written": 1.0})
        (answer,) = backend.answer([asked])
        assert isinstance(answer, requests.Texts) and len(answer.texts) == 3
        assert [body.get("n", 1) for body in server.asked] == [3, 1, 1, 1]
        assert [body["seed"] for body in server.asked[1:]] == [7, 8, 9]
        assert answer.usage.cost == pytest.approx((answer.usage.read + answer.usage.written) / 1e6)
        backend.answer([asked])
        assert [body.get("n", 1) for body in server.asked[4:]] == [1, 1, 1]


def test_a_repeated_beginning_is_taken_off_the_text(smollm2):
    asked = requests.GenerateRequest(
        (Message("user", "Name a colour."),), max_tokens=4, prefill="My colour is"
    )
    with served(smollm2.model, smollm2.tokenizer, repeats=True) as repeating:
        (told,) = remote(repeating).answer([asked])
    with served(smollm2.model, smollm2.tokenizer) as plain:
        (bare,) = remote(plain).answer([asked])
    assert told.texts == bare.texts and "My colour" not in told.texts[0]


def test_a_server_without_likelihoods_says_so_and_nothing_is_forgotten(smollm2):
    """A refusal that less in the request does not mend leaves the abilities as they were."""
    with served(smollm2.model, smollm2.tokenizer, refuses=("prompt_logprobs",)) as server:
        backend = remote(server)
        (failed,) = backend.answer([requests.LikelihoodRequest((Message("user", "Hi."),), "Hello.")])
        assert isinstance(failed, requests.Failure) and "HTTP 400" in failed.reason
    with served(smollm2.model, smollm2.tokenizer, refuses=("messages",)) as server:
        backend = remote(server)
        asked = [requests.LabelRequest((Message("user", "x"),), (" A", " B"), prefill="Verdict:")]
        asked.append(requests.GenerateRequest((Message("user", "x"),), samples=2, temperature=1.0))
        assert all(isinstance(one, requests.Failure) for one in backend.answer(asked))
        assert (backend.can.logprobs, backend.can.continues, backend.can.many) == (True, True, True)


def test_a_generative_judge_reads_its_verdicts_or_counts_what_it_could_not(smollm2, server, pair):
    outcomes = drive([Generative(samples=1, max_tokens=8, retries=1).steps(pair, OVERALL, remote(server).limits())],
                     remote(server).answer)[0]  # fmt: skip
    assert outcomes and all(one.usage.attempts >= 2 for one in outcomes)


# ---------------------------------------------------------------- reading


def told(*pieces):
    return [{"1": {"logprob": -1.0, "decoded_token": piece}} for piece in pieces]


@pytest.mark.parametrize(
    ("pieces", "continuation", "tokens"),
    [
        (["x\n", "Hel", "lo"], "Hello", 2),
        (["\n", "\ufffd", "\ufffd", "t", "\ufffd", "\ufffd"], "été", 5),
        (["\n", "", "é", "t", "", "é"], "été", 5),
        (["\n", "a", "\ufffd", "\ufffd", "\ufffd", "\ufffd"], "a👋", 5),
        (["\n", "Hi", " there"], " Hi there", 2),
    ],
)
def test_the_tail_is_as_long_as_the_text(pieces, continuation, tokens):
    answer = tail_likelihood([None, *told("<s>", *pieces)], continuation, requests.Usage())
    assert (answer.tokens, answer.total) == (tokens, -tokens)


def test_tokens_that_spell_something_else_are_a_failure():
    assert isinstance(tail_likelihood([None, *told("a", "b")], "c", requests.Usage()), requests.Failure)
    assert isinstance(tail_likelihood([], "c", requests.Usage()), requests.Failure)
    assert not spells("\ufffd", "a") and not spells("\ufffd\ufffdb", "éa")


@pytest.mark.parametrize(
    ("text", "begun"),
    [
        ("A", True),
        (" A.", True),
        ("**A**", True),
        ('"A"', True),
        ("As an AI", False),
        ("A1", False),
        ("B", False),
    ],
)
def test_a_label_is_a_word_of_its_own(text, begun):
    assert begins(text, " A") is begun


# ---------------------------------------------------------------- what it can cost


@pytest.mark.parametrize("refuses", [(), ("logprobs",)])
def test_no_answer_costs_more_than_the_most(refuses, smollm2, pair):
    prices = {"read": 3.0, "written": 15.0}
    asked = [
        requests.LabelRequest((Message("user", "東京? A or B?"),), (" A", " B"), prefill="Verdict:"),
        requests.GenerateRequest((Message("user", "Hi 👋"),), max_tokens=5, temperature=1.0, samples=2),
        requests.LikelihoodRequest((Message("user", "Hi."),), "Grüße 👋🏽"),
    ]
    with served(smollm2.model, smollm2.tokenizer, refuses=refuses) as server:
        backend = remote(server, prices=prices)
        most = [backend.most_cost(one) for one in asked]
        answers = [backend.answer([one])[0] for one in asked]
    for bound, answer in zip(most, answers, strict=True):
        assert not isinstance(answer, requests.Failure)
        assert 0 < answer.usage.cost <= bound
    if not refuses:
        assert backend.most_cost(asked[0]) < most[0]  # log-probabilities were seen: no sampling to be feared
    pictured = replace(asked[1], messages=(Message("user", "Hi 👋", ("data:image/png;base64,AA",)),))
    assert backend.most_cost(pictured) > backend.most_cost(asked[1])
    assert math.isclose(
        answers[1].usage.cost, (answers[1].usage.read * 3 + answers[1].usage.written * 15) / 1e6
    )
