"""What the work screen shows of an instance: never a model's name, a label, gold status or metadata."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from ledger.models import Instance
from ledger.models import Response as LedgerResponse
from web.content import Content, direction, divided, render, words

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Turn:
    """One message of a conversation."""

    role: str
    who: str
    content: Content
    direction: str


@dataclass(frozen=True)
class Pane:
    """One response: its place on the screen (from 1), its index in the instance."""

    place: int
    index: int
    turns: list[Turn]

    @property
    def words(self) -> int:
        return sum(turn.content.words for turn in self.turns)


@dataclass(frozen=True)
class Note:
    """Something to be read beside the prompt: a system message, a reference, a rubric, principles."""

    name: str
    title: str
    content: Content
    direction: str


def who(role: str) -> str:
    names = {"user": _("User"), "assistant": _("Assistant"), "system": _("System message"), "tool": _("Tool")}
    return names.get(role, role[:40])


def as_text(content: Any) -> str:
    """A message's text; parts that are no text are named."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n\n".join(as_text(part) for part in content)
    if isinstance(content, dict):
        return str(content["text"]) if "text" in content else f"[{content.get('type', '…')}]"
    return "" if content is None else str(content)


def turn(message: dict[str, Any], *, markdown: bool = True) -> Turn:
    text = as_text(message.get("content"))
    role = str(message.get("role", "user"))
    return Turn(role, who(role), render(text, markdown=markdown), direction(text))


def pane(response: LedgerResponse, *, place: int) -> Pane:
    messages = response.messages or [{"role": "assistant", "content": response.text}]
    return Pane(place, response.index, [turn(message) for message in messages])


def counted_pane(response: LedgerResponse, *, place: int, dividing: Any) -> Pane:
    """The response's text as it is stored, so that offsets can be counted, with its segments told apart."""
    segments = dividing.segments(response.index) if hasattr(dividing, "segments") else []
    content = Content(divided(response.text, segments), words(response.text), False, 0)
    return Pane(
        place, response.index, [Turn("assistant", who("assistant"), content, direction(response.text))]
    )


def panes(instance: Instance, order: Sequence[int], *, dividing: Any = None) -> list[Pane]:
    """The responses as shown: `order` holds their indices from the first place to the last."""
    by_index = {response.index: response for response in instance.responses.all()}
    if dividing is None:
        return [pane(by_index[index], place=place) for place, index in enumerate(order, 1)]
    return [
        counted_pane(by_index[index], place=place, dividing=dividing) for place, index in enumerate(order, 1)
    ]


NOTES = {
    "system": gettext_noop("System message"),
    "principles": gettext_noop("Principles"),
    "persona": gettext_noop("Persona"),
    "rubric": gettext_noop("Rubric"),
    "reference": gettext_noop("Reference answer"),
}


def as_markdown(value: Any) -> str:
    """A context entry as Markdown: lists and levels become bullets."""
    if isinstance(value, list):
        return "\n".join(f"- {as_text(entry)}" for entry in value)
    if isinstance(value, dict):
        return "\n".join(f"- **{name}**: {as_text(entry)}" for name, entry in value.items())
    return as_text(value)


def note(name: str, value: Any) -> Note:
    text = as_markdown(value)
    return Note(name, _(NOTES[name]), render(text), direction(text))


@dataclass(frozen=True)
class Prompt:
    """The conversation up to the responses: what is folded, what is shown, what is read beside it."""

    earlier: list[Turn]
    last: Turn
    notes: list[Note]
    language: str

    @property
    def turns(self) -> int:
        """How often the user has spoken."""
        return sum(turn.role == "user" for turn in [*self.earlier, self.last])


def prompt(instance: Instance) -> Prompt:
    spoken = [message for message in instance.messages if message.get("role") != "system"]
    system = [
        as_text(message.get("content")) for message in instance.messages if message.get("role") == "system"
    ]
    context = instance.context | ({"system": "\n\n".join(system)} if system else {})
    turns = [turn(message) for message in spoken] or [turn({"role": "user", "content": ""})]
    notes = [note(name, context[name]) for name in NOTES if context.get(name)]
    return Prompt(turns[:-1], turns[-1], notes, language_of(instance))


def contents(asked: Prompt, shown: Sequence[Pane]) -> list[Content]:
    """Every text of a screen."""
    turns = [*asked.earlier, asked.last, *(turn for pane in shown for turn in pane.turns)]
    return [turn.content for turn in turns] + [note.content for note in asked.notes]


def language_of(instance: Instance) -> str:
    """The language that the import names, where it is a language tag; nothing else of the metadata is shown."""
    named = instance.metadata.get("language") or instance.metadata.get("lang")
    return named if isinstance(named, str) and LANGUAGE.fullmatch(named) else ""


# ---------------------------------------------------------------- reasons to pass an instance on, as admins read them


SKIP_REASONS = (
    gettext_noop("I cannot judge this"),
    gettext_noop("It needs knowledge that I lack"),
    gettext_noop("It is in a language that I do not read"),
    gettext_noop("It takes too long"),
)
FLAG_REASONS = (
    gettext_noop("broken or cut off"),
    gettext_noop("offensive or disturbing"),
    gettext_noop("full of personal data"),
    gettext_noop("not clear about what is asked"),
)
