"""How texts become a judge's prompt: disarmed, cut in balance, fenced, in an order that shares its beginning.

The order is instruction, request, reference, responses, question: what the two orders, the aspects and the
pairs of a ranking have in common stands first, so that a backend with prefix reuse reads it once
(DESIGN.md, Speed).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from string import ascii_uppercase

from judges.items import Item, Limits, Message, Question, Turn
from judges.safety import Disarmed, balance, fence, neutralise

RESERVED = 400  # tokens kept for instructions, question, tags and the answer
TOKENS_BEYOND_ASCII = 2.0  # a character of Chinese or Arabic in a small English tokenizer
LETTERS = (*ascii_uppercase, *map("".join, product(ascii_uppercase, repeat=2)))  # how responses are named
REQUEST_SHARE = 0.4  # of the window at most, so that a long request never crowds out the responses

ASKED = {
    "overall": "Which response is better overall?",
    "helpful": "Which response is more helpful to the person who asked?",
    "truthful": "Which response is more truthful and accurate?",
    "harmless": "Which response is safer and less harmful?",
}


@dataclass(frozen=True, slots=True)
class Prepared:
    """An item's texts ready for a prompt, and the record of what was changed; `images` are the request's,
    `pictures` each response's. `criterion` and `persona` are what the instance itself says about how to judge it
    and as whom.
    """

    request: str
    responses: tuple[str, ...]
    reference: str
    record: Mapping[str, object]
    criterion: str = ""
    persona: str = ""
    images: tuple[str, ...] = ()
    pictures: tuple[tuple[str, ...], ...] = ()


def prepare(item: Item, limits: Limits, *, together: int = 2) -> Prepared:
    """The item's texts disarmed and cut so that the request and `together` responses fit the window.

    The record has `neutralised` (places changed) and `cut` (characters left out per text), for the label's
    detail.
    """
    everyone = range(len(item.responses))
    beside = [disarmed(request_turns(item)), *map(neutralise, (item.reference, item.rubric, item.persona))]
    changed = [*beside, *(said(item, i) for i in everyone)]
    texts = [one.text for one in changed]
    room = int(max(limits.window - RESERVED, 64) / dearness("".join(texts), limits))
    context, cut_context = balance(texts[: len(beside)], int(room * REQUEST_SHARE))
    responses = texts[len(beside) :]
    share = (room - sum(map(len, context))) // together
    kept, cut = balance(responses, share * len(responses))
    if len(responses) > together:
        kept, cut = _cut_each(responses, share)
    changes = sum(one.changes for one in changed)
    record: dict[str, object] = {}
    if changes:
        record["neutralised"] = changes
    if any(cut_context) or any(cut):
        named = dict(zip(("request", "reference", "criterion", "persona"), cut_context, strict=True))
        record["cut"] = {**named, "responses": cut}
    request, reference, criterion, persona = context
    pictures = tuple(item.pictures_of(i) for i in everyone)
    return Prepared(
        request, tuple(kept), reference, record, criterion, persona, request_images(item), pictures
    )


def dearness(text: str, limits: Limits) -> float:
    """About how many tokens a character of this text is: scripts beyond ASCII cost several times more."""
    wide = sum(not c.isascii() for c in text) / max(len(text), 1) if not text.isascii() else 0.0
    return limits.tokens_per_character * (1 - wide) + TOKENS_BEYOND_ASCII * wide


def conversation(item: Item) -> str:
    """The request as text: one user turn as it is, more turns with their speakers."""
    return told(request_turns(item))


def request_turns(item: Item) -> list[Turn]:
    """The request's turns that hold words, the system's first."""
    turns = [Turn(message.role, message.content) for message in item.prompt if message.content]
    return [Turn("system", item.system), *turns] if item.system else turns


def told(turns: Sequence[Turn]) -> str:
    """The turns as one text: a single one of the user as it is, others under their speakers."""
    if len(turns) == 1 and turns[0].role == "user":
        return turns[0].text
    return "\n\n".join(f"[{turn.speaker}] {turn.text}" for turn in turns)


def disarmed(turns: Sequence[Turn]) -> Disarmed:
    """The turns as one text, each disarmed before it stands under its speaker: none can forge another."""
    each = [neutralise(turn.text) for turn in turns]
    plain = [replace(turn, text=one.text) for turn, one in zip(turns, each, strict=True)]
    return Disarmed(told(plain), sum(one.changes for one in each))


def said(item: Item, index: int) -> Disarmed:
    """A response disarmed: its text, or its turns with tool calls and what the tools answered."""
    turns = item.turns_of(index)
    return disarmed(turns) if turns else neutralise(item.responses[index])


def request_images(item: Item) -> tuple[str, ...]:
    """Every image of the request, in order."""
    return tuple(image for message in item.prompt for image in message.images)


def images_of(item: Item) -> tuple[str, ...]:
    """Every image of the request, then of each response."""
    return (*request_images(item), *(one for shown in item.pictures for one in shown))


def comparison(
    prepared: Prepared, order: Sequence[int], *, system: str, question: str
) -> tuple[Message, ...]:
    """The chat that shows the responses of `order` (indices) as A, B, … and asks `question` last."""
    parts, images = material(prepared, places(order))
    return Message("system", system), Message("user", "\n\n".join([*parts, question]), images)


def places(order: Sequence[int]) -> dict[str, int]:
    """The response of each fence's name, as `order` shows them."""
    return {f"response_{letter.lower()}": index for letter, index in zip(LETTERS, order, strict=False)}


def single(prepared: Prepared, index: int, *, system: str, question: str) -> tuple[Message, ...]:
    """The chat that shows one response and asks `question` last."""
    parts, images = material(prepared, {"response": index})
    return Message("system", system), Message("user", "\n\n".join([*parts, question]), images)


def material(prepared: Prepared, named: Mapping[str, int]) -> tuple[list[str], tuple[str, ...]]:
    """The fenced request, what stands beside it and the responses, each of `named` under its fence's name; and
    the pictures of all in that order, which an unfenced first line deals out where responses have any.
    """
    shown = {
        "request": prepared.images,
        **{name: prepared.pictures[i] for name, i in named.items() if prepared.pictures},
    }
    parts = [fence("request", prepared.request)]
    beside = {name: getattr(prepared, name) for name in ("reference", "criterion", "persona")}
    parts += [fence(name, text) for name, text in beside.items() if text]
    parts += [fence(name, prepared.responses[index]) for name, index in named.items()]
    legend = [whose(shown)] if any(shown[name] for name in named if name in shown) else []
    return [*legend, *parts], tuple(image for images in shown.values() for image in images)


def whose(shown: Mapping[str, Sequence[str]]) -> str:
    """A line that says which of the pictures, counted as they come, belong to what."""
    said, at = [], 0
    for name, images in shown.items():
        numbers = ", ".join(str(at + k) for k in range(1, len(images) + 1))
        said += [f"{numbers} in {name}"] if images else []
        at += len(images)
    return f"Pictures, in the order in which they come: {'; '.join(said)}."


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
