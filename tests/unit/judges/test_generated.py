"""Methods that write, on a real small model, against a loop written out by hand: sampling, reading, counting."""

import math
from dataclasses import replace

import pytest
import torch

from judges.items import Message, Question
from judges.methods import drive
from judges.methods.debate import ADVOCATE, Debate
from judges.methods.generative import SYSTEM, Generative
from judges.methods.implicit_reward import ImplicitReward
from judges.methods.rationale import ASK as EXPLAIN
from judges.methods.rationale import SYSTEM as EXPLAINER
from judges.methods.rationale import with_rationale
from judges.methods.self_reference import CRITIQUE, SelfReference
from judges.methods.self_reference import SYSTEM as REFERRER
from judges.verdicts import Failed, sigmoid

DEFAULT = ("system", "You are a helpful AI assistant named SmolLM, trained by Hugging Face")
ENDS = ("<|im_end|>", "<|endoftext|>")
FORM = "\nVerdict: A\nor\nVerdict: B\nor\nVerdict: tie"
FIRST = (
    "Which response is better overall? First reason in a few sentences about what each response does well and "
    "badly. Then write the verdict on a last line of its own, in exactly this form:" + FORM
)
AGAIN = (
    "Which response is better overall? Write one line and nothing else. It must be exactly one of these:\n"
    "Verdict: A\nVerdict: B\nor\nVerdict: tie"
)


@torch.inference_mode()
def written(plain, prompts, *, samples, tokens, temperature=0.0, seed=0):
    """`samples` texts after each prompt, token by token, with one draw for all rows at each step."""
    torch.manual_seed(seed)
    caches, rows = [], []
    for prompt in prompts:
        ids = plain.tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
        made = plain.model(ids, use_cache=True, logits_to_keep=1)
        made.past_key_values.batch_repeat_interleave(samples)
        caches.append(made.past_key_values)
        rows.append(made.logits[:, -1].expand(samples, -1))
    ends = set(plain.tokenizer.convert_tokens_to_ids(ENDS))
    texts = [[] for _ in range(len(prompts) * samples)]
    ended = [False] * len(texts)
    for _ in range(tokens):
        logits = torch.cat(rows)
        if temperature:
            drawn = torch.multinomial(torch.softmax(logits / temperature, -1), 1)
        else:
            drawn = logits.argmax(-1, keepdim=True)
        for at, token in enumerate(drawn[:, 0].tolist()):
            ended[at] = ended[at] or token in ends
            if not ended[at]:
                texts[at].append(token)
        if all(ended):
            break
        rows = [
            plain.model(drawn[at * samples : (at + 1) * samples], past_key_values=cache).logits[:, -1]
            for at, cache in enumerate(caches)
        ]
    said = [plain.tokenizer.decode(ids).strip() for ids in texts]
    return [said[at : at + samples] for at in range(0, len(said), samples)]


def comparing(plain, item, order, question, *, system=SYSTEM):
    a, b = (item.responses[i] for i in order)
    user = (
        f"<request>\n{item.prompt[0].content}\n</request>\n\n<response_a>\n{a}\n</response_a>\n\n"
        f"<response_b>\n{b}\n</response_b>\n\n{question}"
    )
    return plain.chat(("system", system), ("user", user))


def verdict_of(text):
    """A, B or tie where exactly one of the three lines stands in the text."""
    lines = {line.strip().lower() for line in text.splitlines()}
    found = [word for word in ("a", "b", "tie") if f"verdict: {word}" in lines]
    return found[0] if len(found) == 1 else None


def test_generative_counts_what_the_model_wrote_asks_again_and_averages_the_orders(smollm2, plain, pair):
    method = Generative(samples=4, temperature=0.7, max_tokens=12, retries=1, tie=True)
    question = Question("overall", "pairwise", steps=2)
    ((first, second),) = drive([method.steps(pair, question, smollm2.limits())], smollm2.answer)
    orders = ((0, 1), (1, 0))
    counts = {order: dict.fromkeys(("a", "b", "tie"), 0) for order in orders}
    unread = dict.fromkeys(orders, 0)

    def ask(wanted, question, tokens, seed):
        """wanted: {order: samples}; orders that want as many are one batch."""
        for samples in sorted(set(wanted.values())):
            batch = [order for order, n in wanted.items() if n == samples]
            prompts = [comparing(plain, pair, order, question) for order in batch]
            made = written(plain, prompts, samples=samples, tokens=tokens, temperature=0.7, seed=seed)
            for order, texts in zip(batch, made, strict=True):
                unread[order] = 0
                for text in texts:
                    found = verdict_of(text)
                    if found:
                        counts[order][found] += 1
                    else:
                        unread[order] += 1

    ask(dict.fromkeys(orders, 4), FIRST, 12, 7 * 31)
    retried = dict(unread)
    ask({order: n for order, n in unread.items() if n}, AGAIN, 16, 7 * 31 + 1)

    z = []
    for order, outcome in zip(orders, (first, second), strict=True):
        n = counts[order]
        assert outcome.detail["samples"] == {"A": n["a"], "B": n["b"], "tie": n["tie"]}
        assert (outcome.detail["unread"], outcome.detail["retried"]) == (unread[order], retried[order])
        odds = math.log((n["b"] + n["tie"] / 2 + 0.5) / (n["a"] + n["tie"] / 2 + 0.5))
        z.append(odds if order == (0, 1) else -odds)
        assert outcome.detail["log_odds"] == pytest.approx(z[-1], abs=1e-6)
        assert outcome.value["probability"] == pytest.approx(sigmoid(z[-1]), abs=1e-6)
    assert sum(sum(n.values()) for n in counts.values()) >= 2  # the model did give verdicts,
    assert sum(retried.values()) > 0  # and texts without one
    assert first.detail["averaged_log_odds"] == pytest.approx(sum(z) / 2, abs=1e-6)
    assert first.detail["flipped"] == ((z[0] > 0) != (z[1] > 0))


def test_self_reference_answers_criticises_and_decides_by_what_it_wrote(smollm2, plain, pair):
    method = SelfReference(answer_tokens=12, critique_tokens=8)
    question = Question("overall", "pairwise", steps=2)
    ((first, second),) = drive([method.steps(pair, question, smollm2.limits())], smollm2.answer)
    asked = pair.prompt[0].content
    ((own,),) = written(plain, [plain.chat(DEFAULT, ("user", asked))], samples=1, tokens=12)
    assert first.detail["own_answer"] == own
    request = f"<request>\n{asked}\n</request>\n\n<reference>\n{own}\n</reference>\n\n"
    notes = []
    for response in pair.responses:
        user = f"{request}<response>\n{response}\n</response>\n\n{CRITIQUE}"
        ((note,),) = written(plain, [plain.chat(("system", REFERRER), ("user", user))], samples=1, tokens=8)
        notes.append(note)
    assert first.rationale == second.rationale == f"Response 1: {notes[0]}\n\nResponse 2: {notes[1]}"
    z = []
    for a, b in ((0, 1), (1, 0)):
        user = (
            f"{request}<response_a>\n{pair.responses[a]}\n</response_a>\n\n"
            f"<response_b>\n{pair.responses[b]}\n</response_b>\n\nNotes on response A: {notes[a]}\n"
            f"Notes on response B: {notes[b]}\n\nWhich response is better overall? Answer with A or B."
        )
        p = plain.next(plain.chat(("system", REFERRER), ("user", user)) + "Verdict:", [" A", " B"])
        z.append(p[1] - p[0])
    assert first.detail["log_odds"] == pytest.approx(z[0], abs=3e-4)
    assert second.detail["averaged_log_odds"] == pytest.approx((z[0] - z[1]) / 2, abs=3e-4)


def test_a_debates_second_round_answers_the_other_sides_first(smollm2, plain, pair):
    question = Question("overall", "pairwise", steps=2)
    method = Debate(rounds=2, max_tokens=8)
    ((first, _),) = drive([method.steps(pair, question, smollm2.limits())], smollm2.answer)
    said = [[], []]
    for round_ in range(2):
        prompts = []
        for side in (0, 1):
            user = (
                f"<request>\n{pair.prompt[0].content}\n</request>\n\nYour response:\n<response_a>\n"
                f"{pair.responses[side]}\n</response_a>\n\nThe other response:\n<response_b>\n"
                f"{pair.responses[1 - side]}\n</response_b>\n\nWhich response is better overall? Argue in at most "
                "four sentences that your response is better than the other."
            )
            if round_:
                user += f"\n\nThe other side said: <argument>\n{said[1 - side][0]}\n</argument>\nAnswer it."
            prompts.append(plain.chat(("system", ADVOCATE), ("user", user)))
        for side, prompt in enumerate(prompts):
            ((text,),) = written(plain, [prompt], samples=1, tokens=8)
            said[side].append(text.replace("<argument>", "‹argument›"))  # it wrote a fence: disarmed
    assert first.detail["arguments"] == said
    lines = [f"Round {r + 1}, for response {s + 1}: {said[s][r]}" for r in range(2) for s in range(2)]
    assert first.rationale == "\n\n".join(lines)


def test_a_rationale_is_the_models_own_text_about_the_verdict(smollm2, plain, pair):
    question = Question("overall", "pairwise", steps=2)
    steps = ImplicitReward(own=True).steps(pair, question, smollm2.limits())
    ((verdict,),) = drive(
        [with_rationale(steps, pair, smollm2.limits(), role="judge", max_tokens=10)], smollm2.answer
    )
    side = "B" if verdict.value["probability"] > 0.5 else "A"
    ask = EXPLAIN.format(verdict=f"response {side} is better")
    prompt = comparing(plain, pair, (0, 1), ask, system=EXPLAINER)
    ((text,),) = written(plain, [prompt], samples=1, tokens=10)
    assert text
    assert verdict.rationale == text
    assert verdict.usage.written > 0


def test_samples_without_a_verdict_are_a_failure_that_keeps_the_models_words(smollm2, pair):
    other = replace(pair, id=8, prompt=(Message("user", "Count to three."),))
    method = Generative(samples=2, temperature=1.5, max_tokens=4, retries=0)
    ((outcome,),) = drive(
        [method.steps(other, Question("overall", "pairwise"), smollm2.limits())], smollm2.answer
    )
    assert isinstance(outcome, Failed)
    assert outcome.raw.count("\n---\n") == 1
    assert outcome.usage.written > 0
