"""What the work screen shows of an instance: never a model's name, a label, gold status or metadata."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from annotate.forms.spans import SpansForm, step_at
from ledger.models import Instance
from ledger.models import Response as LedgerResponse
from ledger.trajectories import CALL, Step, steps_in
from web.content import Content, code, direction, divided, render, words

FOLDED_WORDS = 150  # the result of a tool that is longer is folded
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class Turn:
    """One message of a conversation, or one tool call in it. `at` names a step that is asked about."""

    role: str
    who: str
    content: Content
    direction: str
    at: str = ""

    @property
    def folds(self) -> bool:
        """Whether it is the result of a tool that fills the screen; what the model says is never folded."""
        return self.role == "tool" and self.content.words > FOLDED_WORDS


@dataclass(frozen=True)
class Pane:
    """One response: its place on the screen (from 1), its index in the instance."""

    place: int
    index: int
    turns: list[Turn]

    @property
    def words(self) -> int:
        return sum(turn.content.words for turn in self.turns)

    @property
    def has_film(self) -> bool:
        return any("<video " in turn.content.html for turn in self.turns)


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


def turns(message: dict[str, Any], *, place: int = 0, asked: Collection[str] = ()) -> list[Turn]:
    """What a message says and, each by itself, the tools that it calls; `asked` names the steps to be judged."""
    text, role = as_text(message.get("content")), str(message.get("role", "user"))
    shown = [] if message.get("tool_calls") and not text.strip() else [turn(message, text, role)]
    calls = [(step_at(step), call(step)) for step in steps_in(message, place) if step.kind == CALL]
    found = [(f"m{place}", each) for each in shown] + calls
    return [replace(each, at=at) if at in asked else each for at, each in found]


def turn(message: dict[str, Any], text: str, role: str) -> Turn:
    if role != "tool":
        return Turn(role, who(role), render(text), direction(text))
    tool = str(message.get("name") or "")[:80]
    content = render(text) if "](/media/" in text else code(text, "json" if text[:1] in "{[" else "")
    return Turn(role, _("Result of %s") % tool if tool else who(role), content, direction(text))


def call(step: Step) -> Turn:
    return Turn("call", _("Tool call: %s") % step.tool[:80], code(step.text, "json"), "ltr")


def pane(response: LedgerResponse, *, place: int, asked: Collection[str] = ()) -> Pane:
    messages = response.messages or [{"role": "assistant", "content": response.text}]
    found = [turns(message, place=number, asked=asked) for number, message in enumerate(messages)]
    return Pane(place, response.index, [turn for each in found for turn in each])


def counted_pane(response: LedgerResponse, *, place: int, dividing: SpansForm) -> Pane:
    """The response's text as it is stored, so that offsets can be counted, with its segments told apart.

    What comes before it in a response of several messages is read above it.
    """
    content = Content(
        divided(response.text, dividing.segments(response.index)), words(response.text), False, 0
    )
    messages = response.messages or []
    before = messages[:-1] if messages and messages[-1].get("content") == response.text else messages
    found = [turn for message in before for turn in turns(message)]
    final = Turn("assistant", who("assistant"), content, direction(response.text))
    return Pane(place, response.index, [*found, final])


def panes(
    responses: Iterable[LedgerResponse], order: Sequence[int], *, dividing: SpansForm | None = None
) -> list[Pane]:
    """The responses as shown: `order` holds their indices from the first place to the last."""
    by_index = {response.index: response for response in responses}
    return [shown(by_index[index], place=place, dividing=dividing) for place, index in enumerate(order, 1)]


def shown(response: LedgerResponse, *, place: int, dividing: SpansForm | None) -> Pane:
    """A response as its questions need it: as text in which places can be counted, by steps, or as it reads best."""
    asked = [step_at(step) for step in dividing.steps(response.index)] if dividing else []
    if dividing is None or asked:
        return pane(response, place=place, asked=asked)
    return counted_pane(response, place=place, dividing=dividing)


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
    said = [turn for message in spoken or [{"role": "user", "content": ""}] for turn in turns(message)]
    notes = [note(name, context[name]) for name in NOTES if context.get(name)]
    return Prompt(said[:-1], said[-1], notes, language_of(instance))


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
