"""What a judge is asked about: an instance's texts and an aspect's question, as plain values without a
database.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ledger.trajectories import CALL


@dataclass(frozen=True, slots=True)
class Message:
    """One chat turn; `images` are data or https addresses for backends that see."""

    role: str
    content: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """A step of a response of several: what `role` says (assistant, user, …), asks of a `tool` (`CALL`) or hears
    from it (tool).
    """

    role: str
    text: str
    tool: str = ""

    @property
    def speaker(self) -> str:
        """Who speaks, in a word or three that hold no mark of their own."""
        name = re.sub(r"[^\w.:/-]+", "_", self.tool)[:80]
        return f"assistant calls {name}" if self.role == CALL else f"{self.role} {name}".strip()


@dataclass(frozen=True, slots=True)
class Item:
    """An instance under judgement. `responses[i]` is the text of response i, whatever the order of
    showing; `turns[i]` its steps where it has several, `pictures[i]` the addresses of what it shows.
    """

    id: int
    prompt: tuple[Message, ...]
    responses: tuple[str, ...]
    models: tuple[str, ...] = ()
    system: str = ""
    reference: str = ""
    rubric: str = ""
    persona: str = ""
    principles: tuple[str, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    turns: tuple[tuple[Turn, ...], ...] = ()
    pictures: tuple[tuple[str, ...], ...] = ()

    def turns_of(self, index: int) -> tuple[Turn, ...]:
        """The steps of a response, none where it is one text."""
        return self.turns[index] if self.turns else ()

    def pictures_of(self, index: int) -> tuple[str, ...]:
        return self.pictures[index] if self.pictures else ()


@dataclass(frozen=True, slots=True)
class Question:
    """An aspect as a judge sees it. For ratings `low`…`high` is the scale, for pairs `steps` is the largest
    strength.
    """

    aspect: str
    task_type: str
    text: str = ""
    steps: int = 1
    ties: bool = True
    low: float = 1
    high: float = 5
    grid: float = 1  # ratings lie on low + k * grid; 0: anywhere
    sure: bool = False  # the aspect requires a confidence of 1…3
    descriptions: tuple[str, ...] = ()  # one a level of the scale, lowest first


@dataclass(frozen=True, slots=True)
class Limits:
    """What the answering model can read: `window` tokens in all, and how many tokens a text is."""

    window: int = 8192
    tokens_per_character: float = 0.25
