"""What a prompt is about: HyPER's 63 tags, each the probability that a language model gives to an allowed value.

Miranda et al. 2024 (arXiv 2410.19133) fine-tuned a tagger for eight dimensions. Here any language model that scores
text serves without training: every allowed value is scored as the answer to the dimension's question, less its
score where the request is left out, so that a value is not preferred for being a common word (domain-conditional
PMI, Holtzman et al. 2021, "Surface form competition", here by token, so that short and long values meet as equals); a
softmax over the dimension's values makes probabilities of it.
Vectors of 63 are stored once by the prompt's content, as representations are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from judges.catalog import JudgeSpec
from judges.items import Message
from judges.loading import backend_for
from judges.requests import Answer, Likelihood, LikelihoodRequest
from judges.safety import balance, fence, neutralise
from ledger.representations import read_vectors, store_vectors
from web.problems import Conflict

Floats32 = NDArray[np.float32]
Answering = Callable[[Sequence[LikelihoodRequest]], Sequence[Answer]]
VERSION = "tags-1"  # change it with the questions or the scoring
MOST_CHARACTERS = 1200  # of a prompt; what a request is about shows early, and in its end
AT_ONCE = 4  # prompts between two writes

# "Journalism" and "Media studies and communication" are two flags, as in HyPER's list.
SUBJECTS = (
    "Anthropology", "History", "Linguistics and language", "Philosophy", "Religion", "Economics", "Geography",
    "Political science", "Psychology", "Sociology", "Biology", "Chemistry", "Earth sciences", "Physics",
    "Space sciences", "Computer sciences", "Logic", "System science", "Agriculture", "Architecture and design",
    "Business", "Divinity", "Education", "Chemical engineering", "Civil engineering", "Electrical engineering",
    "Mechanical engineering", "Materials science and engineering", "Environmental studies and forestry",
    "Family and consumer science", "Human physical performance and recreation", "Journalism",
    "Media studies and communication", "Law", "Library and museum studies", "Medicine and health",
    "Military sciences", "Social work", "Transportation", "Culinary arts", "Literature", "Performing arts",
    "Visual arts", "Mathematics", "Public administration", "Others",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Dimension:
    """A question about a request with its allowed answers; of a yes-or-no question only `yes` is a tag."""

    name: str
    question: str
    values: tuple[str, ...]
    asked: tuple[str, ...] = ()  # how the values are worded to the model, where otherwise

    @property
    def answers(self) -> tuple[str, ...]:
        return self.asked or self.values

    @property
    def width(self) -> int:
        return 1 if self.values == YES else len(self.values)


YES = ("yes", "no")
DIMENSIONS = (
    Dimension("subject", "What is this request about? Answer with a subject.", SUBJECTS),
    Dimension(
        "expertise",
        "Who could answer this request well?",
        ("general public", "basic domain knowledge", "expert domain knowledge"),
        ("Anyone", "Somebody who took a college course", "An expert with a degree"),
    ),
    Dimension(
        "openness",
        "How many good answers does this request have?",
        ("no", "low", "moderate", "high"),
        ("Exactly one answer", "One answer in several wordings", "A few answers", "A great many answers"),
    ),
    Dimension(
        "safety",
        "How much harm could answering this request do?",
        ("safe", "low", "moderate", "high"),
        ("None at all", "A little harm", "Moderate harm", "Severe harm"),
    ),
    Dimension(
        "complexity",
        "How many goals does this request have?",
        ("simple", "moderate", "complex"),
        ("One goal", "Several easy goals", "Several hard goals"),
    ),
    Dimension("english", "Is this request written in English?", YES, ("Yes", "No")),
    Dimension("material", "Does this request bring a text or data to work on?", YES, ("Yes", "No")),
    Dimension("constraints", "Does this request demand a format or a length?", YES, ("Yes", "No")),
)
WIDTH = sum(dimension.width for dimension in DIMENSIONS)  # 63
NAMES = tuple(
    dimension.name if dimension.values == YES else f"{dimension.name}: {value}"
    for dimension in DIMENSIONS
    for value in dimension.values[: dimension.width]
)


class CannotTag(Conflict):
    code, title = "cannot-tag", "The judge cannot score tags"


def stored_as(spec: JudgeSpec) -> str:
    """The name under which this judge's tags are stored: by what its tags depend on, and not by its own name."""
    backend = spec.backends.get("judge")
    body = json.dumps(asdict(backend) if backend else {}, sort_keys=True, default=str)
    return f"{VERSION}:{hashlib.blake2b(body.encode(), digest_size=8).hexdigest()}"


def read_tags(texts: Sequence[str], spec: JudgeSpec) -> Floats32:
    """The stored tags (N, 63) of prompts, NaN where one has not been tagged."""
    vectors, known = read_vectors(stored_as(spec), texts)
    found = np.full((len(texts), WIDTH), np.nan, dtype=np.float32)
    if known.any():
        found[known] = vectors[known]
    return found


def tag_texts(texts: Sequence[str], spec: JudgeSpec, *, tell: Callable[[int], None] | None = None) -> int:
    """Tags and stores the prompts that have no tags of this judge yet; how many. Raises `CannotTag`.

    Loads the model, so it runs in judge workers.
    """
    backend_spec = spec.backends.get("judge")
    if backend_spec is None:
        raise CannotTag(f"{spec.name} has no model of its own to ask.", judge=spec.name)
    distinct = list(dict.fromkeys(texts))
    missing = [
        text for text, row in zip(distinct, read_tags(distinct, spec), strict=True) if np.isnan(row).any()
    ]
    if not missing:
        return 0
    answer = backend_for(backend_spec).answer
    empty = scores("", answer, spec)
    for at in range(0, len(missing), AT_ONCE):
        part = missing[at : at + AT_ONCE]
        rows = [probabilities(scores(text, answer, spec), empty) for text in part]
        store_vectors(stored_as(spec), part, np.array(rows, dtype=np.float32))
        if tell is not None:
            tell(at + len(part))
    return len(missing)


def asked_of(text: str, dimension: Dimension) -> tuple[Message, ...]:
    """The chat before the answer. The request is fenced: what it says is never obeyed."""
    (cut,), _ = balance([neutralise(text).text], MOST_CHARACTERS)
    return (Message("user", f"{fence('request', cut)}\n\n{dimension.question}"),)


def scores(text: str, answer: Answering, spec: JudgeSpec) -> list[float]:
    """The mean log-likelihood of a token of every answer to every dimension. Raises `CannotTag` where there is none."""
    requests = [
        LikelihoodRequest(asked_of(text, dimension), value)
        for dimension in DIMENSIONS
        for value in dimension.answers
    ]
    found = []
    for said in answer(requests):
        if not isinstance(said, Likelihood):
            reason = getattr(said, "reason", type(said).__name__)
            raise CannotTag(f"{spec.name} cannot score the allowed values: {reason}", judge=spec.name)
        found.append(said.mean)
    return found


def probabilities(scored: Sequence[float], empty: Sequence[float]) -> list[float]:
    """The 63 tags: a softmax over each dimension of the scores beyond those of no request."""
    beyond, at, tags = np.asarray(scored) - np.asarray(empty), 0, []
    for dimension in DIMENSIONS:
        part = beyond[at : at + len(dimension.values)]
        weight = np.exp(part - part.max())
        tags += (weight / weight.sum())[: dimension.width].tolist()
        at += len(dimension.values)
    return tags
