"""Models behind an OpenAI-compatible address: vLLM, llama.cpp's server, hosted ones.

Concurrency and rate are bounded here, failures that pass are tried again with growing, jittered pauses that
honour Retry-After, and every answer carries its cost by the price table. Verdict labels come from the first
token's log-probabilities where the server offers them, by sampling where it does not.
"""

from __future__ import annotations

import math
import random
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from judges.backends.addresses import pinned_client
from judges.items import Limits, Message
from judges.requests import (
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
TOP = 20  # log-probabilities asked for: the most that the protocol offers
SAMPLES = 8  # where there are none
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in the project's currency."""

    read: float = 0.0
    written: float = 0.0

    def cost(self, read: int, written: int) -> float:
        return (read * self.read + written * self.written) / 1e6


class Pace:
    """At most `rate` calls a second over all threads, evenly spaced; 0: no bound."""

    def __init__(self, rate: float) -> None:
        self.gap = 1 / rate if rate else 0.0
        self.lock, self.next = threading.Lock(), 0.0

    def wait(self) -> None:
        """Sleep until this call's turn."""
        if not self.gap:
            return
        with self.lock:
            now = time.monotonic()
            turn = max(now, self.next)
            self.next = turn + self.gap
        time.sleep(max(turn - now, 0.0))


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
        timeout: float = 120.0,
        attempts: int = 6,
        window: int = 8192,
        prices: Mapping[str, float] | None = None,
        logprobs: bool = True,
        seed: int = 0,
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
        self.prices, self.offers_logprobs = Prices(**(prices or {})), logprobs
        self.pace, self.chance = Pace(rate), random.Random(seed)

    def limits(self) -> Limits:
        return Limits(window=self.window, tokens_per_character=0.3)

    def identity(self) -> str:
        return f"openai-compatible:{self.url}:{self.model}"

    def warm_up(self) -> None:
        """The server is warm or warms itself."""

    def most_cost(self, request: Request) -> float:
        """The most that the request can cost: every character a token at worst, all retries billed once."""
        characters = sum(len(message.content) for message in getattr(request, "messages", ()))
        written = {LabelRequest: SAMPLES, GenerateRequest: 0, LikelihoodRequest: 1}.get(type(request), 0)
        if isinstance(request, GenerateRequest):
            written = request.max_tokens * request.samples
        repeats = SAMPLES if isinstance(request, LabelRequest) and not self.offers_logprobs else 1
        return self.prices.cost(characters * repeats, written)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        with ThreadPoolExecutor(max_workers=self.concurrency) as pool:
            return list(pool.map(self._one, requests))

    def _one(self, request: Request) -> Answer:
        if isinstance(request, LabelRequest):
            return self._labels(request)
        if isinstance(request, GenerateRequest):
            return self._texts(request)
        if isinstance(request, LikelihoodRequest):
            return self._likelihood(request)
        return Failure(f"{self.model} cannot answer {type(request).__name__}")

    # ---------------------------------------------------------------- labels

    def _labels(self, request: LabelRequest) -> Answer:
        """Log-probabilities of the labels among the first token's top ones; by sampling where there are
        none.
        """
        if not self.offers_logprobs:
            return self._sampled(request)
        body = {"max_tokens": 1, "temperature": 0, "logprobs": True, "top_logprobs": TOP}
        called = self._call("chat/completions", {**self._chat(request.messages, request.prefill), **body})
        if isinstance(called, Failure):
            return called
        reply, usage = called
        content = (reply["choices"][0].get("logprobs") or {}).get("content") or []
        if not content:
            self.offers_logprobs = False
            return self._sampled(request)
        return read_labels(content[0].get("top_logprobs") or [], request.labels, usage)

    def _sampled(self, request: LabelRequest) -> Answer:
        """Shares of the labels among samples, half a count added to each; the mass is the share that was
        read.
        """
        body = {"max_tokens": 4, "temperature": 1.0, "n": SAMPLES}
        called = self._call("chat/completions", {**self._chat(request.messages, request.prefill), **body})
        if isinstance(called, Failure):
            return called
        reply, usage = called
        said = [(choice["message"].get("content") or "").strip() for choice in reply["choices"]]
        counts = [sum(text.startswith(label.strip()) for text in said) for label in request.labels]
        if not sum(counts):
            return Failure("no sample began with a verdict label", "\n".join(said), usage)
        whole = sum(counts) + len(counts) / 2
        mass = sum(counts) / max(len(said), 1)
        logprobs = tuple(math.log((count + 0.5) / whole * mass) for count in counts)
        return LabelScores(logprobs, mass, usage, sampled=len(said))

    # ---------------------------------------------------------------- texts and likelihoods

    def _texts(self, request: GenerateRequest) -> Answer:
        body = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "n": request.samples,
            "seed": request.seed,
        }
        called = self._call("chat/completions", {**self._chat(request.messages, request.prefill), **body})
        if isinstance(called, Failure):
            return called
        reply, usage = called
        texts = tuple((choice["message"].get("content") or "").strip() for choice in reply["choices"])
        return Texts(texts, usage=usage)

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
        """The request's common part; a begun answer is continued by servers that can (vLLM), else asked
        for.
        """
        chat = [{"role": one.role, "content": content_of(one)} for one in messages]
        body: dict[str, Any] = {"model": self.model, "messages": chat}
        if prefill:
            chat.append({"role": "assistant", "content": prefill})
            body |= {"add_generation_prompt": False, "continue_final_message": True}
        return body

    # ---------------------------------------------------------------- calling

    def _call(self, path: str, body: Mapping[str, Any]) -> tuple[dict[str, Any], Usage] | Failure:
        """The reply and what it took, after as many attempts as passing failures need."""
        start, reason = time.perf_counter(), ""
        for attempt in range(1, self.attempts + 1):
            self.pace.wait()
            pause = 0.0
            try:
                reply = self.client.post(path, json=body)
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}"
            else:
                if reply.status_code == 200:
                    return self._read(reply, attempt, start)
                reason = f"HTTP {reply.status_code}: {reply.text[:200]}"
                if reply.status_code not in PASSING:
                    return Failure(reason, usage=Usage(seconds=time.perf_counter() - start, attempts=attempt))
                pause = retry_after(reply.headers.get("Retry-After"))
            if attempt < self.attempts:
                time.sleep(max(pause, self._backoff(attempt)))
        spent = Usage(seconds=time.perf_counter() - start, attempts=self.attempts)
        return Failure(f"no answer after {self.attempts} attempts: {reason}", usage=spent)

    def _read(
        self, reply: httpx.Response, attempt: int, start: float
    ) -> tuple[dict[str, Any], Usage] | Failure:
        seconds = time.perf_counter() - start
        try:
            body = reply.json()
            counted = body.get("usage") or {}
            read, written = int(counted.get("prompt_tokens", 0)), int(counted.get("completion_tokens", 0))
            body["choices"][0]["message"]
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            return Failure(
                "the reply is no chat completion", reply.text[:2000], Usage(seconds=seconds, attempts=attempt)
            )
        reused = int((counted.get("prompt_tokens_details") or {}).get("cached_tokens") or 0)
        usage = Usage(read - reused, reused, written, seconds, self.prices.cost(read, written), attempt)
        return body, usage

    def _backoff(self, attempt: int) -> float:
        """Full jitter: a random pause up to 0.5 · 2^attempt seconds, at most a minute."""
        return self.chance.uniform(0, min(0.5 * 2**attempt, LONGEST_PAUSE))


def read_labels(top: Sequence[Mapping[str, Any]], labels: Sequence[str], usage: Usage) -> Answer:
    """Label scores from the top tokens: each token adds to the label that it equals but for spaces.

    A label below the top gets the probability of the last of them, an upper bound, so that odds are never
    overstated.
    """
    if not top:
        return Failure("the server sent no log-probabilities", usage=usage)
    sums = [0.0] * len(labels)
    for token in top:
        for at, label in enumerate(labels):
            if token["token"].strip() == label.strip():
                sums[at] += math.exp(token["logprob"])
    if not any(sums):
        said = ", ".join(repr(token["token"]) for token in top[:5])
        return Failure(f"no verdict label among the likely tokens: {said}", usage=usage)
    least = math.exp(min(token["logprob"] for token in top))
    logprobs = tuple(math.log(share or least) for share in sums)
    return LabelScores(logprobs, min(sum(sums), 1.0), usage)


def tail_likelihood(seen: Sequence[Any], continuation: str, usage: Usage) -> Answer:
    """The likelihood of the last tokens of a prompt that spell `continuation` (vLLM's `prompt_logprobs`)."""
    total, count, text = 0.0, 0, ""
    for entry in reversed(seen):
        if text.strip() == continuation.strip() or entry is None:
            break
        token = next(iter(entry.values()))
        text, total, count = token["decoded_token"] + text, total + token["logprob"], count + 1
    if text.strip() != continuation.strip():
        return Failure("the server's tokens do not spell the text", text[-200:], usage)
    return Likelihood(total, count, usage)


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
