"""Models behind an OpenAI-compatible address: vLLM, llama.cpp's server, hosted ones.

Concurrency and rate are bounded here, failures that pass are tried again with growing, jittered pauses that
honour Retry-After, and every answer carries its cost by the price table. Verdict labels come from the first
token's log-probabilities where the server offers them, by sampling where it does not.

Servers differ in what they take beyond the protocol's core: vLLM and llama.cpp go on with a begun answer where
hosted ones refuse to; llama.cpp gives at most as many samples at once as it has slots; some repeat the begun
answer before they go on. What a server refuses, and takes with less in it, is left out from then on
(`Abilities`).
"""

from __future__ import annotations

import json
import math
import random
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from judges.backends.addresses import pinned_client
from judges.backends.pacing import OwnPace, Pacing
from judges.items import Limits, Message
from judges.requests import (
    NOTHING,
    Answer,
    Failure,
    GenerateRequest,
    LabelRequest,
    LabelScores,
    Likelihood,
    LikelihoodRequest,
    Request,
    Texts,
    Usage,
)

PASSING = {408, 409, 425, 429, 500, 502, 503, 504}
REFUSING = {400, 422, 501}  # the request as such; with less in it, it may be taken
TOP = 20  # log-probabilities asked for: the most that the protocol offers
LABEL_TOKENS = 2  # many tokenizers write " 1" as a space and a digit
SAMPLES = 8  # where there are none
SAMPLED_TOKENS = 4  # enough for a label after a space or a quotation mark
TEMPLATE = 16  # tokens that a chat template may add to a turn
PICTURE = 3000  # tokens that a picture may be read as: a large one of the hosted models at full detail
BROKEN = "\ufffd"  # what a part of a character is decoded to
LARGEST_REPLY = 64 * 1024**2  # bytes
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in the project's currency."""

    read: float = 0.0
    written: float = 0.0

    def cost(self, read: int, written: int) -> float:
        return (read * self.read + written * self.written) / 1e6


@dataclass
class Abilities:
    """What the server takes, as far as it is known."""

    logprobs: bool = True
    logprobs_seen: bool = False
    continues: bool = True  # goes on with a begun answer
    many: bool = True  # several samples in one call


class Refusal(Exception):
    """The server calls the request wrong."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


class OpenAICompatibleBackend:
    """One model at one address. The key is used for the header alone and kept out of every text."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        key: str = "",
        private_allowed: bool = False,
        concurrency: int = 8,
        rate: float = 0.0,
        pace: Pacing | None = None,  # in place of one of this process's own
        timeout: float = 120.0,
        attempts: int = 6,
        window: int = 8192,
        prices: Mapping[str, float] | None = None,
        logprobs: bool = True,
        seed: int | None = None,  # of the pauses; workers with one seed would come back together
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.client = pinned_client(
            url.rstrip("/") + "/",
            private_allowed=private_allowed,
            timeout=timeout,
            connections=concurrency,
            headers=headers,
        )
        self.url, self.model, self.window = url, model, window
        self.concurrency, self.attempts = concurrency, attempts
        self.prices, self.can = Prices(**(prices or {})), Abilities(logprobs=logprobs)
        self.pace, self.chance = pace or OwnPace(rate), random.Random(seed)

    def limits(self) -> Limits:
        return Limits(window=self.window, tokens_per_character=0.3)

    def identity(self) -> str:
        return f"openai-compatible:{self.url}:{self.model}"

    def warm_up(self) -> None:
        """The server is warm or warms itself."""

    def most_cost(self, request: Request) -> float:
        """The most that the request can cost: every byte a token at worst, besides the template's own; a call
        that the server refuses or fails to answer is not billed.
        """
        messages = getattr(request, "messages", ())
        begun = getattr(request, "prefill", "") + getattr(request, "continuation", "")
        read = sum(len(one.content.encode()) + TEMPLATE + PICTURE * len(one.images) for one in messages)
        read += len(begun.encode()) + 2 * TEMPLATE
        calls, written = 1, LABEL_TOKENS
        if isinstance(request, GenerateRequest):
            calls, written = request.samples, request.max_tokens * request.samples
        elif isinstance(request, LabelRequest) and not self.can.logprobs_seen:
            calls, written = SAMPLES + 1, SAMPLES * SAMPLED_TOKENS + LABEL_TOKENS
        return self.prices.cost(read * calls, written)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        with ThreadPoolExecutor(max_workers=self.concurrency) as pool:
            return list(pool.map(self._one, requests))

    def _one(self, request: Request) -> Answer:
        try:
            if isinstance(request, LabelRequest):
                return self._labels(request)
            if isinstance(request, GenerateRequest):
                return self._texts(request)
            if isinstance(request, LikelihoodRequest):
                return self._likelihood(request)
        except Refusal as refusal:
            return refusal.failure
        return Failure(f"{self.model} cannot answer {type(request).__name__}")

    # ---------------------------------------------------------------- labels

    def _labels(self, request: LabelRequest) -> Answer:
        """Log-probabilities of the labels among the first token's top ones; by sampling where there are
        none.
        """
        if not self.can.logprobs:
            return self._sampled(request)
        body = {"max_tokens": LABEL_TOKENS, "temperature": 0, "logprobs": True, "top_logprobs": TOP}
        try:
            called = self._chatted(request.messages, request.prefill, body)
        except Refusal as refusal:
            answer = self._sampled(request)
            self.can.logprobs = not isinstance(answer, LabelScores)
            return refusal.failure if self.can.logprobs else answer
        if isinstance(called, Failure):
            return called
        reply, usage = called
        content = (reply["choices"][0].get("logprobs") or {}).get("content") or []
        if not content:
            self.can.logprobs = False
            return self._sampled(request, usage)
        self.can.logprobs_seen = True
        return read_labels(content, request.labels, usage)

    def _sampled(self, request: LabelRequest, spent: Usage = NOTHING) -> Answer:
        """Shares of the labels among samples, half a count added to each; the mass is the share that was
        read. `spent` is what finding out has cost.
        """
        body = {"max_tokens": SAMPLED_TOKENS, "temperature": 1.0}
        called = self._samples(request.messages, request.prefill, body, SAMPLES)
        if isinstance(called, Failure):
            return replace(called, usage=called.usage + spent)
        said, usage = called[0], called[1] + spent
        counts = [sum(begins(text, label) for text in said) for label in request.labels]
        if not sum(counts):
            return Failure("no sample began with a verdict label", "\n".join(said), usage)
        whole = sum(counts) + len(counts) / 2
        mass = sum(counts) / max(len(said), 1)
        logprobs = tuple(math.log((count + 0.5) / whole * mass) for count in counts)
        return LabelScores(logprobs, mass, usage, sampled=len(said))

    # ---------------------------------------------------------------- texts and likelihoods

    def _texts(self, request: GenerateRequest) -> Answer:
        body = {"max_tokens": request.max_tokens, "temperature": request.temperature, "seed": request.seed}
        called = self._samples(request.messages, request.prefill, body, request.samples)
        return called if isinstance(called, Failure) else Texts(tuple(called[0]), usage=called[1])

    def _samples(
        self, messages: Sequence[Message], prefill: str, body: Mapping[str, Any], n: int
    ) -> tuple[list[str], Usage] | Failure:
        """`n` texts without the begun answer: in one call, or one by one where the server gives no more at
        once.
        """
        if n > 1 and not self.can.many:
            return self._one_by_one(messages, prefill, body, n)
        try:
            called = self._chatted(messages, prefill, {**body, "n": n})
        except Refusal:
            if n == 1:
                raise
            single = self._one_by_one(messages, prefill, body, n)
            self.can.many = isinstance(single, Failure)
            return single
        if isinstance(called, Failure):
            return called
        texts = texts_of(called[0], prefill)
        if len(texts) >= n:
            return texts[:n], called[1]
        self.can.many = False  # it took the number and did not heed it
        rest = self._one_by_one(messages, prefill, body, n - len(texts), begun=len(texts))
        return rest if isinstance(rest, Failure) else (texts + rest[0], called[1] + rest[1])

    def _one_by_one(
        self, messages: Sequence[Message], prefill: str, body: Mapping[str, Any], n: int, begun: int = 0
    ) -> tuple[list[str], Usage] | Failure:
        """`n` texts, each by a call and under a seed of its own; the first are `begun`."""
        texts, spent = [], NOTHING
        for at in range(begun, begun + n):
            called = self._chatted(messages, prefill, {**body, "seed": int(body.get("seed", 0)) + at})
            if isinstance(called, Failure):
                return replace(called, usage=called.usage + spent)
            texts += texts_of(called[0], prefill)[:1]
            spent = spent + called[1]
        return texts, spent

    def _likelihood(self, request: LikelihoodRequest) -> Answer:
        """The prompt's own log-probabilities, which vLLM offers; other servers do not, and say so by their
        answer.
        """
        chat = [*request.messages, Message(request.speaker, request.continuation)]
        body = {
            **self._chat(chat, ""),
            "max_tokens": 1,
            "prompt_logprobs": 0,
            "add_generation_prompt": False,
            "continue_final_message": True,
        }
        called = self._call("chat/completions", body)
        if isinstance(called, Failure):
            return called
        reply, usage = called
        seen = reply.get("prompt_logprobs")
        if not seen:
            return Failure(f"{self.model} offers no likelihoods of given texts", usage=usage)
        return tail_likelihood(seen, request.continuation, usage)

    def _chat(self, messages: Sequence[Message], prefill: str) -> dict[str, Any]:
        """The request's common part; `prefill` is an answer that the server is to go on with."""
        chat = [{"role": one.role, "content": content_of(one)} for one in messages]
        body: dict[str, Any] = {"model": self.model, "messages": chat}
        if prefill:
            chat.append({"role": "assistant", "content": prefill})
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        return body

    def _chatted(
        self, messages: Sequence[Message], prefill: str, more: Mapping[str, Any]
    ) -> tuple[dict[str, Any], Usage] | Failure:
        """A chat's reply; the answer is left unbegun where the server will not go on with one."""
        if not prefill or not self.can.continues:
            return self._call("chat/completions", {**self._chat(messages, ""), **more})
        try:
            return self._call("chat/completions", {**self._chat(messages, prefill), **more})
        except Refusal as refusal:
            try:
                called = self._call("chat/completions", {**self._chat(messages, ""), **more})
            except Refusal:
                raise refusal from None
        self.can.continues = isinstance(called, Failure)
        return called

    # ---------------------------------------------------------------- calling

    def _call(self, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], Usage] | Failure:
        """The reply and what it took, after as many attempts as passing failures need. Raises `Refusal`."""
        start, reason = time.perf_counter(), ""
        for attempt in range(1, self.attempts + 1):
            self.pace.wait()
            pause = 0.0
            try:
                status, headers, text = self._post(path, body)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}"
            else:
                if status == 200:
                    return self._read(text, attempt, start)
                reason = f"HTTP {status}: {text[:200]}"
                if status not in PASSING:
                    spent = Usage(seconds=time.perf_counter() - start, attempts=attempt)
                    return refused(status, Failure(reason, usage=spent))
                pause = retry_after(headers.get("Retry-After"))
            if attempt < self.attempts:
                time.sleep(pause + self._backoff(attempt))  # those who were told one time come one by one
        spent = Usage(seconds=time.perf_counter() - start, attempts=self.attempts)
        return Failure(f"no answer after {self.attempts} attempts: {reason}", usage=spent)

    def _post(self, path: str, body: Mapping[str, Any]) -> tuple[int, httpx.Headers, str]:
        """Status, headers and text. A reply without end is cut, and then reads as none."""
        with self.client.stream("POST", path, json=body) as reply:
            read = bytearray()
            for piece in reply.iter_bytes():
                read += piece
                if len(read) > LARGEST_REPLY:
                    break
            return reply.status_code, reply.headers, read.decode(errors="replace")

    def _read(self, text: str, attempt: int, start: float) -> tuple[dict[str, Any], Usage] | Failure:
        seconds = time.perf_counter() - start
        try:
            body = json.loads(text)
            counted = body.get("usage") or {}
            read, written = int(counted.get("prompt_tokens", 0)), int(counted.get("completion_tokens", 0))
            reused = int((counted.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
            if (
                not all(isinstance(choice["message"], dict) for choice in body["choices"])
                or not body["choices"]
            ):
                raise ValueError("no message")
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            usage = Usage(seconds=seconds, attempts=attempt)
            return Failure("the reply is no chat completion", text[:2000], usage)
        usage = Usage(read - reused, reused, written, seconds, self.prices.cost(read, written), attempt)
        return body, usage

    def _backoff(self, attempt: int) -> float:
        """Full jitter: a random pause up to 0.5 · 2^attempt seconds, at most a minute."""
        return self.chance.uniform(0, min(0.5 * 2**attempt, LONGEST_PAUSE))


def refused(status: int, failure: Failure) -> Failure:
    """The failure; raised as `Refusal` where the request itself was called wrong."""
    if status in REFUSING:
        raise Refusal(failure)
    return failure


def texts_of(reply: Mapping[str, Any], prefill: str) -> list[str]:
    """The choices' texts, without the begun answer where the server repeats it."""
    texts = [str(choice["message"].get("content") or "").strip() for choice in reply["choices"]]
    begun = prefill.strip()
    return [text[len(begun) :].strip() if begun and text.startswith(begun) else text for text in texts]


def begins(text: str, label: str) -> bool:
    """Whether the text begins with the label as a word of its own: "A." and "**A**" do, "As" does not."""
    rest = text.lstrip(" \t\r\n\"'*`([{")
    word = label.strip()
    return rest.startswith(word) and not rest[len(word) : len(word) + 1].isalnum()


def read_labels(content: Sequence[Mapping[str, Any]], labels: Sequence[str], usage: Usage) -> Answer:
    """Label scores from the top tokens: each token adds to the label that it equals but for spaces.

    Where the likeliest first token is a space alone, those after it count with its probability. A label below
    the top gets the probability of the last of them, an upper bound, so that odds are never overstated.
    """
    told = [place.get("top_logprobs") or [] for place in content[:LABEL_TOKENS]]
    if not told or not told[0]:
        return Failure("the server sent no log-probabilities", usage=usage)
    spaced = len(told) > 1 and bool(told[1]) and not str(content[0].get("token", "?")).strip()
    places = [(0.0, told[0])]
    if spaced:
        places.append((float(content[0].get("logprob", 0.0)), told[1]))
    sums = [0.0] * len(labels)
    for before, top in places:
        for token in top:
            for at, label in enumerate(labels):
                if token["token"].strip() == label.strip():
                    sums[at] += math.exp(before + token["logprob"])
    if not any(sums):
        said = ", ".join(repr(token["token"]) for token in told[0][:5])
        return Failure(f"no verdict label among the likely tokens: {said}", usage=usage)
    least = math.exp(min(before + token["logprob"] for before, top in places[-1:] for token in top))
    logprobs = tuple(math.log(share or least) for share in sums)
    return LabelScores(logprobs, min(sum(sums), 1.0), usage)


def tail_likelihood(seen: Sequence[Any], continuation: str, usage: Usage) -> Answer:
    """The likelihood of the last tokens of a prompt that spell `continuation` (vLLM's `prompt_logprobs`).

    A character that is cut into several tokens is told as "\ufffd" for each part, or as nothing and then whole.
    """
    wanted, total, count, pieces = continuation.strip(), 0.0, 0, ""
    whole = not wanted
    for entry in reversed(seen):
        token = next(iter(entry.values())) if entry else None
        if token is None or (whole and token["decoded_token"].strip(BROKEN)):
            break
        pieces, total, count = token["decoded_token"] + pieces, total + token["logprob"], count + 1
        whole = whole or spells(pieces, wanted)
    if not whole:
        return Failure("the server's tokens do not spell the text", pieces[-200:], usage)
    return Likelihood(total, count, usage)


def spells(pieces: str, wanted: str) -> bool:
    """Whether the tokens' texts are `wanted`, where a run of broken characters stands for whole ones beyond
    ASCII: each of them has two to four parts.
    """
    plain = pieces.strip()
    if BROKEN not in plain:
        return plain == wanted
    parts = re.split(f"({BROKEN}+)", plain)
    if any(part == BROKEN for part in parts):
        return False
    pattern = "".join(
        f"[^\\x00-\\x7f]{{{-(-len(part) // 4)},{len(part) // 2}}}"
        if part.startswith(BROKEN)
        else re.escape(part)
        for part in parts
    )
    return re.fullmatch(pattern, wanted) is not None


def content_of(message: Message) -> object:
    """The message's content: a text, or typed parts where it carries images."""
    if not message.images:
        return message.content
    images = [{"type": "image_url", "image_url": {"url": url}} for url in message.images]
    return [*images, {"type": "text", "text": message.content}]


def retry_after(header: str | None) -> float:
    """The seconds that Retry-After asks for, as a number or a date; 0 where it does not; at most a minute."""
    if not header:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE)
