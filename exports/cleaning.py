"""The choices over texts for formats that are made of whole instances: every text that such a row can carry.

A pair's texts are looked at in `exports.selection`; an instance has more: all its responses, what raters wrote, its
context. What is dropped or masked here is gone before pairs are made of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson

from exports.choices import Choices
from exports.records import Answer, Prompt, Verdict
from exports.scrubbing import PERSONAL, SECRETS, found, mask
from exports.seen import Seen
from exports.tokens import count_tokens, load_tokenizer

KINDS = (("secrets", "a secret", SECRETS), ("personal", "personal data", PERSONAL))


@dataclass(frozen=True)
class Parts:
    """An instance's texts, as a format finds them."""

    prompt: Prompt
    context: dict[str, Any]
    metadata: dict[str, Any]
    answers: list[Answer]
    verdicts: list[Verdict]

    def texts(self, *, metadata: bool) -> Iterator[str]:
        """Every text in it; of the metadata only the reference unless all of it is written."""
        yield from strings(self.prompt)
        yield from strings(self.context)
        yield from strings(self.metadata if metadata else self.metadata.get("reference"))
        for answer in self.answers:
            yield answer.text
            yield from strings(answer.messages)
        for said in self.verdicts:
            yield said.rationale
            yield from strings(said.value)


def strings(value: Any) -> Iterator[str]:
    """Every text inside a JSON value, keys left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, dict):
        yield from strings(list(value.values()))


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The JSON value with every text changed, keys left as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [mapped(each, change) for each in value]
    if isinstance(value, dict):
        return {key: mapped(each, change) for key, each in value.items()}
    return value


class Cleaner:
    """The text choices as one function over instances: (parts or None, why it was dropped, kinds that were masked).

    `whole`: rows carry the metadata too. `marked`: rows carry offsets into texts, which masking would shift, so that
    an instance that needs a mask is dropped. `alone`: no pair is made of it, so that length and repetition are its own.
    """

    def __init__(self, choices: Choices, *, whole: bool, marked: bool, alone: bool) -> None:
        self.choices, self.whole, self.marked = choices, whole, marked
        self.seen = Seen() if alone and choices.deduplicate else None
        self.fits = None
        if alone and choices.max_tokens:
            self.fits = partial(short_enough, load_tokenizer(choices.tokenizer), choices.max_tokens)

    def __call__(self, parts: Parts) -> tuple[Parts | None, str, set[str]]:
        patterns: dict[str, Any] = {}
        for choice, name, shapes in KINDS:
            wanted = getattr(self.choices, choice)
            if wanted == "keep":
                continue
            if wanted == "drop" or self.marked:
                if any(any(found(text, shapes)) for text in parts.texts(metadata=self.whole)):
                    return None, name, set()
            else:
                patterns |= shapes
        if self.fits is not None and not self.fits(parts):
            return None, f"over {self.choices.max_tokens} tokens", set()
        if self.seen is not None and self.repeats(parts):
            return None, "duplicate", set()
        return masked(parts, patterns) if patterns else (parts, "", set())

    def repeats(self, parts: Parts) -> bool:
        """Whether prompt and responses were there before."""
        assert self.seen is not None
        content = [parts.prompt, parts.context.get("system"), [(a.text, a.messages) for a in parts.answers]]
        return self.seen(orjson.dumps(content)) > 1


def masked(parts: Parts, patterns: dict[str, Any]) -> tuple[Parts, str, set[str]]:
    """The parts with every find replaced by its kind."""
    kinds: set[str] = set()

    def clean(text: str) -> str:
        changed, hits = mask(text, patterns)
        kinds.update(hits)
        return changed

    answers = [
        replace(answer, text=clean(answer.text), messages=mapped(answer.messages, clean))
        for answer in parts.answers
    ]
    verdicts = [
        replace(said, rationale=clean(said.rationale), value=cleaned(said.value, clean))
        for said in parts.verdicts
    ]
    prompt, context, metadata = (
        mapped(each, clean) for each in (parts.prompt, parts.context, parts.metadata)
    )
    return Parts(prompt, context, metadata, answers, verdicts), "", kinds


def cleaned(value: dict[str, Any], clean: Callable[[str], str]) -> dict[str, Any]:
    """A label's value, masked; a diff that no longer leads to its edit's text is left out."""
    held: dict[str, Any] = mapped(value, clean)
    for index, edit in held.get("edits", {}).items():
        if edit != value["edits"][index]:
            held["edits"][index] = {"text": edit["text"]}
    return held


def short_enough(tokenizer: Any, most: int, parts: Parts) -> bool:
    """Whether system message, prompt and the longest response have at most `most` tokens together."""
    asked = "\n".join([parts.context.get("system") or "", *strings(contents(parts.prompt))]).strip()
    said = [
        "\n".join(strings(contents(answer.messages))) if answer.messages else answer.text
        for answer in parts.answers
    ]
    longest = max((count_tokens(tokenizer, text) for text in said), default=0)
    return count_tokens(tokenizer, asked) + longest <= most


def contents(prompt: Any) -> Any:
    return [turn.get("content") or "" for turn in prompt] if isinstance(prompt, list) else prompt
