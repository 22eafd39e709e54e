"""How texts become a judge's prompt: disarmed, cut in balance, fenced, in an order that shares its beginning.

The order is instruction, request, reference, responses, question: what the two orders, the aspects and the
pairs of a ranking have in common stands first, so that a backend with prefix reuse reads it once
(DESIGN.md, Speed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase

from judges.items import Item, Limits, Message, Question
from judges.safety import balance, fence, neutralise

RESERVED = 400  # tokens kept for instructions, question, tags and the answer
TOKENS_BEYOND_ASCII = 2.0  # a character of Chinese or Arabic in a small English tokenizer
REQUEST_SHARE = 0.4  # of the window at most, so that a long request never crowds out the responses

ASKED = {
    "overall": "Which response is better overall?",
    "helpful": "Which response is more helpful to the person who asked?",
    "truthful": "Which response is more truthful and accurate?",
    "harmless": "Which response is safer and less harmful?",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item's texts ready for a prompt, and the record of what was changed."""

    request: str
    responses: tuple[str, ...]
    reference: str
    record: Mapping[str, object]


def prepare(item: Item, limits: Limits, *, together: int = 2) -> Prepared:
    """The item's texts disarmed and cut so that the request and `together` responses fit the window.

    The record has `neutralised` (places changed) and `cut` (characters left out per text), for the label's
    detail.
    """
    raw = [conversation(item), item.reference, *item.responses]
    disarmed = [neutralise(text) for text in raw]
    request, reference, *responses = [one.text for one in disarmed]
    room = int(max(limits.window - RESERVED, 64) / dearness("".join(raw), limits))
    (request, reference), cut_context = balance([request, reference], int(room * REQUEST_SHARE))
    left = room - len(request) - len(reference)
    share = left // together
    kept, cut = balance(responses, share * len(responses))
    if len(responses) > together:
        kept, cut = _cut_each(responses, share)
    changes = sum(one.changes for one in disarmed)
    record: dict[str, object] = {}
    if changes:
        record["neutralised"] = changes
    if any(cut_context) or any(cut):
        record["cut"] = {"request": cut_context[0], "reference": cut_context[1], "responses": cut}
    return Prepared(request, tuple(kept), reference, record)


def dearness(text: str, limits: Limits) -> float:
    """About how many tokens a character of this text is: scripts beyond ASCII cost several times more."""
    wide = sum(not c.isascii() for c in text) / max(len(text), 1) if not text.isascii() else 0.0
    return limits.tokens_per_character * (1 - wide) + TOKENS_BEYOND_ASCII * wide


def conversation(item: Item) -> str:
    """The request as text: one user turn as it is, more turns with their speakers."""
    turns = [message for message in item.prompt if message.content]
    if item.system:
        turns.insert(0, Message("system", item.system))
    if len(turns) == 1 and turns[0].role == "user":
        return turns[0].content
    return "\n\n".join(f"[{turn.role}] {turn.content}" for turn in turns)


def images_of(item: Item) -> tuple[str, ...]:
    """Every image of the request, in order."""
    return tuple(image for message in item.prompt for image in message.images)


def comparison(
    prepared: Prepared, order: Sequence[int], *, system: str, question: str, images: tuple[str, ...] = ()
) -> tuple[Message, ...]:
    """The chat that shows the responses of `order` (indices) as A, B, … and asks `question` last."""
    parts = [fence("request", prepared.request)]
    if prepared.reference:
        parts.append(fence("reference", prepared.reference))
    for letter, index in zip(ascii_uppercase, order, strict=False):
        parts.append(fence(f"response_{letter.lower()}", prepared.responses[index]))
    return Message("system", system), Message("user", "\n\n".join([*parts, question]), images)


def single(
    prepared: Prepared, index: int, *, system: str, question: str, images: tuple[str, ...] = ()
) -> tuple[Message, ...]:
    """The chat that shows one response and asks `question` last."""
    parts = [fence("request", prepared.request)]
    if prepared.reference:
        parts.append(fence("reference", prepared.reference))
    parts.append(fence("response", prepared.responses[index]))
    return Message("system", system), Message("user", "\n\n".join([*parts, question]), images)


def asked(question: Question) -> str:
    """The comparing sentence of an aspect: the project's own text, a shipped one, or one made of the name."""
    if question.text:
        return question.text
    name = question.aspect.partition("/")[0]
    return ASKED.get(name, f"Which response is better regarding {name.replace('_', ' ').replace('-', ' ')}?")


def _cut_each(responses: Sequence[str], share: int) -> tuple[list[str], list[int]]:
    """Every response cut to the same `share`, so that any of them may stand beside any other."""
    cuts = [balance([text], share) for text in responses]
    return [kept[0] for kept, _ in cuts], [cut[0] for _, cut in cuts]
