"""What methods ask of backends, and what comes back. Plain values; `cache_key` names equal requests."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from judges.items import Item, Message


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """How likely each of `labels` is as the next text after `messages` and the begun answer `prefill`."""

    messages: tuple[Message, ...]
    labels: tuple[str, ...]
    prefill: str = ""
    shown: tuple[
        str, ...
    ] = ()  # the texts under judgement, untouched, in the order shown: for backends without a model
    role: str = "judge"


@dataclass(frozen=True, slots=True)
class LikelihoodRequest:
    """The log-likelihood of `continuation` as the next turn of `speaker` after `messages`."""

    messages: tuple[Message, ...]
    continuation: str
    speaker: str = "assistant"
    role: str = "judge"


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """`samples` texts after `messages`, of at most `max_tokens`; `temperature` 0 is greedy."""

    messages: tuple[Message, ...]
    max_tokens: int = 256
    temperature: float = 0.0
    samples: int = 1
    seed: int = 0
    prefill: str = ""
    role: str = "judge"


@dataclass(frozen=True, slots=True)
class RewardRequest:
    """The scalar reward of the last assistant turn, under `samples` dropout masks (0: none)."""

    messages: tuple[Message, ...]
    samples: int = 0
    seed: int = 0
    role: str = "judge"


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """An outcome check of `response`: `kind` names the check, `facts` what it is held against."""

    kind: str
    response: str
    facts: str  # JSON
    role: str = "checker"


@dataclass(frozen=True, slots=True)
class UtilityRequest:
    """What a head that learnt from people thinks of an instance's responses; `item` where no ledger holds it."""

    instance: int
    aspect: str
    item: Item | None = None
    role: str = "judge"


Request = LabelRequest | LikelihoodRequest | GenerateRequest | RewardRequest | CheckRequest | UtilityRequest


@dataclass(frozen=True, slots=True)
class Usage:
    """What an answer took: tokens read (computed), reused and written; seconds; cost in the price table's
    currency.
    """

    read: int = 0
    reused: int = 0
    written: int = 0
    seconds: float = 0.0
    cost: float = 0.0
    attempts: int = 1

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.read + other.read,
            self.reused + other.reused,
            self.written + other.written,
            self.seconds + other.seconds,
            self.cost + other.cost,
            self.attempts + other.attempts,
        )


NOTHING = Usage(attempts=0)


@dataclass(frozen=True, slots=True)
class LabelScores:
    """Natural log-probabilities of the labels and the probability `mass` that lay on them at all.

    `sampled` is the number of samples where the backend offers no log-probabilities and they were counted
    instead.
    """

    logprobs: tuple[float, ...]
    mass: float
    usage: Usage = field(default=NOTHING)
    sampled: int = 0


@dataclass(frozen=True, slots=True)
class Likelihood:
    """Sum over the continuation's `tokens` of their natural log-probabilities."""

    total: float
    tokens: int
    usage: Usage = field(default=NOTHING)

    @property
    def mean(self) -> float:
        return self.total / max(self.tokens, 1)


@dataclass(frozen=True, slots=True)
class Texts:
    """Generated samples; `logprobs[i]` is the mean token log-probability of sample i where known."""

    texts: tuple[str, ...]
    logprobs: tuple[float, ...] = ()
    usage: Usage = field(default=NOTHING)


@dataclass(frozen=True, slots=True)
class Rewards:
    """Scalar rewards, one a model of the ensemble or dropout mask."""

    values: tuple[float, ...]
    usage: Usage = field(default=NOTHING)


@dataclass(frozen=True, slots=True)
class Utilities:
    """A utility for each response in log-odds units, the `spread` (standard deviation) of the first two's
    difference.

    `line` is (intercept, slope) from utilities to the aspect's ratings.
    """

    values: tuple[float, ...]
    spread: float = 0.0
    line: tuple[float, ...] = (0.0, 1.0)
    learnt_from: int = 0
    usage: Usage = field(default=NOTHING)


@dataclass(frozen=True, slots=True)
class Checked:
    """The share of the checks that passed (0…1), of `total`, with what was seen."""

    share: float
    total: int
    seen: str = ""
    usage: Usage = field(default=NOTHING)


@dataclass(frozen=True, slots=True)
class Failure:
    """No answer: why, after how many attempts, and what came instead. Never read as a verdict."""

    reason: str
    raw: str = ""
    usage: Usage = field(default=NOTHING)


Answer = LabelScores | Likelihood | Texts | Rewards | Utilities | Checked | Failure
ANSWERS: dict[str, type] = {
    kind.__name__: kind for kind in (LabelScores, Likelihood, Texts, Rewards, Utilities, Checked, Failure)
}


def sound(request: Request, answer: Answer) -> Answer:
    """`answer`, or a failure where it is malformed: a number that is none, nothing where something was asked."""
    fault = _fault(request, answer)
    return Failure(f"malformed answer: {fault}", repr(answer)[:2000], answer.usage) if fault else answer


def _fault(request: Request, answer: Answer) -> str:
    """What is wrong with the answer; empty where nothing is."""
    numbers: tuple[float, ...] = ()
    match answer:
        case LabelScores(logprobs=logprobs, mass=mass):
            numbers = (*logprobs, mass)
            if isinstance(request, LabelRequest) and len(logprobs) != len(request.labels):
                return f"{len(logprobs)} log-probabilities for {len(request.labels)} labels"
        case Likelihood(total=total):
            numbers = (total,)
        case Texts(texts=texts) if not texts:
            return "no text"
        case Rewards(values=values) | Utilities(values=values):
            numbers = values
            if not values:
                return "no value"
        case Checked(share=share):
            numbers = (share,)
            if not 0 <= share <= 1:
                return f"a share of {share}"
        case _:
            return ""
    return "" if all(math.isfinite(number) for number in numbers) else "a number that is not finite"


def cache_key(request: Request, *, model: str) -> str:
    """The SHA-256 under which equal requests to the same `model` (its identity with revision) are cached."""
    body = {"kind": type(request).__name__, "model": model, **asdict(request)}
    body.pop("role")
    if body.get("item") is None:
        body.pop("item", None)
    if model.partition(":")[0] != "length":
        body.pop("shown", None)
    return hashlib.sha256(json.dumps(body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def to_json(answer: Answer) -> dict[str, object]:
    """An answer as JSON for the cache and for recorded test data."""
    return {"kind": type(answer).__name__, **asdict(answer)}


def from_json(body: dict[str, object]) -> Answer:
    """The answer that `to_json` wrote; its usage says that this time it cost nothing."""
    fields = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in body.items()
        if key not in ("kind", "usage")
    }
    return ANSWERS[str(body["kind"])](**fields)


def usage_of(answers: Sequence[Answer]) -> Usage:
    """The sum of what `answers` took."""
    total = NOTHING
    for answer in answers:
        total = total + answer.usage
    return total
