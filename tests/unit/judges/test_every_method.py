"""Every method against recorded real answers of models, and against answers that went wrong."""

import json
import math
from dataclasses import replace

import pytest

from judges.items import Limits
from judges.methods import METHODS, drive
from judges.requests import (
    Checked,
    Failure,
    LabelScores,
    Likelihood,
    Rewards,
    Texts,
    Usage,
    Utilities,
    cache_key,
    from_json,
)
from judges.verdicts import Failed, Verdict
from ledger.task_types import TASK_TYPES
from tests.unit.judges.recorded import ANSWERS, CASES

LIMITS = Limits(window=8192, tokens_per_character=0.3)
KEPT = json.loads(ANSWERS.read_text()) if ANSWERS.exists() else {}


def replay(requests):
    return [from_json(KEPT[cache_key(request, model="recorded")]) for request in requests]


def judged(name, answer):
    method, item, question = CASES[name]
    (outcomes,) = drive([method.steps(item, question, LIMITS)], answer)
    return outcomes


def test_every_method_has_a_case():
    assert set(CASES) == set(METHODS.names())


@pytest.mark.parametrize("name", METHODS.names())
def test_real_answers_become_values_that_the_task_type_accepts(name):
    method, item, question = CASES[name]
    outcomes = judged(name, replay)
    assert outcomes
    task = TASK_TYPES.load(question.task_type)
    settings = task.settings({"min": 0, "max": 4} if question.task_type == "rating" else {"steps": 2})
    for outcome in outcomes:
        if name == "generative" and isinstance(outcome, Failed):
            assert outcome.raw  # what the model wrote instead of a verdict is kept
            continue
        assert isinstance(outcome, Verdict)
        assert task.clean(dict(outcome.value), settings=settings, size=len(item.responses)) == outcome.value


@pytest.mark.parametrize("name", METHODS.names())
def test_the_same_answers_give_the_same_verdicts(name):
    assert judged(name, replay) == judged(name, replay)


@pytest.mark.parametrize("name", METHODS.names())
def test_a_backend_that_fails_makes_a_failure_with_its_reason_and_what_it_took(name):
    def fail(requests):
        return [Failure("HTTP 503", "busy", Usage(attempts=6, seconds=1.0)) for _ in requests]

    (outcome,) = judged(name, fail)
    assert isinstance(outcome, Failed)
    assert outcome.usage.attempts >= 6
    assert name == "jury" or "503" in outcome.reason


@pytest.mark.parametrize("name", METHODS.names())
def test_an_answer_of_another_kind_is_a_failure_never_a_half(name):
    def confuse(requests):
        return [
            Checked(1.0, 1) if not isinstance(answer, Checked) else Texts(("ok",))
            for answer in replay(requests)
        ]

    outcomes = judged(name, confuse)
    assert all(isinstance(outcome, Failed) for outcome in outcomes)


NOT_A_NUMBER = {
    LabelScores: lambda one: replace(one, logprobs=(math.nan, *one.logprobs[1:])),
    Likelihood: lambda one: replace(one, total=-math.inf),
    Texts: lambda one: replace(one, texts=()),
    Rewards: lambda one: replace(one, values=(math.nan,) * len(one.values)),
    Utilities: lambda one: replace(one, values=(math.inf, 0.0)),
    Checked: lambda one: replace(one, share=math.nan),
}
TOO_FEW = {
    LabelScores: lambda one: replace(one, logprobs=one.logprobs[:1]),
    Likelihood: lambda one: replace(one, total=math.nan),
    Texts: lambda one: replace(one, texts=()),
    Rewards: lambda one: replace(one, values=()),
    Utilities: lambda one: replace(one, values=()),
    Checked: lambda one: replace(one, share=1.5),
}


@pytest.mark.parametrize("name", METHODS.names())
@pytest.mark.parametrize("broken", [NOT_A_NUMBER, TOO_FEW], ids=["not a number", "too few"])
def test_a_malformed_answer_is_a_failure_that_keeps_it(name, broken):
    def spoil(requests):
        return [broken[type(one)](one) for one in replay(requests)]

    (outcome,) = judged(name, spoil)
    assert isinstance(outcome, Failed)
    assert name == "jury" or outcome.reason.startswith("malformed answer")
    assert name == "jury" or outcome.raw


@pytest.mark.parametrize("name", METHODS.names())
def test_one_malformed_answer_among_good_ones_is_never_read(name):
    """The last request of each round is spoilt: no verdict may rest on it, but a jury may do without a member."""

    def spoil(requests):
        *good, last = replay(requests)
        return [*good, NOT_A_NUMBER[type(last)](last)]

    outcomes = judged(name, spoil)
    if name == "jury":
        (verdict,) = outcomes
        assert verdict.detail["silent"] == ["grades"]
        return
    assert all(isinstance(outcome, Failed) for outcome in outcomes)


@pytest.mark.parametrize(
    "text", ["", "A", "I would say that A or B is better.", "Verdict: A\nVerdict: B", "判断：A", "\x00" * 50]
)
def test_generated_texts_without_a_verdict_are_counted_and_not_guessed(text):
    (outcome,) = judged(
        "generative", lambda requests: [Texts((text,) * request.samples) for request in requests]
    )
    assert isinstance(outcome, Failed)
    assert "verdict" in outcome.reason


def test_unreadable_samples_are_asked_again_more_strictly():
    asked = []

    def answer(requests):
        asked.append([request.max_tokens for request in requests])
        stricter = requests[0].max_tokens == 16
        return [Texts(("Verdict: B" if stricter else "Hm.",) * request.samples) for request in requests]

    first, second = judged("generative", answer)
    assert [len(one) for one in asked] == [2, 2]
    assert (first.detail["samples"], first.detail["retried"], first.detail["unread"]) == (
        {"A": 0, "B": 2, "tie": 0}, 2, 0,
    )  # fmt: skip
    assert first.detail["averaged_probability"] == 0.5  # B in both orders: the position speaks
    assert first.detail["flipped"]


@pytest.mark.parametrize("name", METHODS.names())
def test_the_prompt_text_is_written_for_the_version(name):
    method, _, question = CASES[name]
    assert len(method.prompt_text(question)) > 20
