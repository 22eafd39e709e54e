"""What the formats read: a settled pair, or an instance with everything that was said about it.

`exports.reading` makes them from the database, `exports.selection` thins them out, a format turns
them into rows. Responses are named by their index in the instance, as in the ledger.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

PREFERRED, TIE, BOTH_BAD, UNDECIDED = "preferred", "tie", "both_bad", "undecided"  # routing's outcomes

PERSON = "person"  # the ledger's kind of rater

Message = dict[str, Any]
Prompt = str | list[Message]


class Pair(NamedTuple):
    """One preference between two responses, already turned: `chosen` is what the raters prefer.

    `outcome` is `Preference.Outcome`'s; unless it is `preferred` nobody won, and `chosen` is only the first
    of the two. `probability` is the consensus' P(chosen is better), 0.5 where nobody won; `margin` and
    `agreement` are as routing settled them; `group` names the prompt, for caps and splits.
    """

    row: str
    instance: str
    aspect: str
    prompt: Prompt
    system: str | None
    chosen: str
    rejected: str
    chosen_messages: list[Message] | None
    rejected_messages: list[Message] | None
    chosen_index: int
    rejected_index: int
    chosen_model: str
    rejected_model: str
    outcome: str
    probability: float
    margin: float
    agreement: float | None
    source: str
    raters: list[str]
    route: str
    policy: str
    group: str
    metadata: dict[str, Any]

    @property
    def preferred(self) -> bool:
        return self.outcome == PREFERRED

    def turned(self) -> "Pair":
        """The same preference the other way round, which is only true of a tie."""
        chosen, rejected = self.chosen_index, self.rejected_index
        return self._replace(
            row=self.row.replace(f"/{chosen}={rejected}/", f"/{rejected}={chosen}/", 1),
            chosen=self.rejected,
            rejected=self.chosen,
            chosen_messages=self.rejected_messages,
            rejected_messages=self.chosen_messages,
            chosen_index=self.rejected_index,
            rejected_index=self.chosen_index,
            chosen_model=self.rejected_model,
            rejected_model=self.chosen_model,
            probability=1.0 - self.probability,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of an instance."""

    index: int
    key: str
    model: str
    text: str
    messages: list[Message] | None
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A label as the ledger has it."""

    id: int
    aspect: str
    task_type: str
    rater: str
    kind: str
    level: str
    value: dict[str, Any]
    order: list[int]
    repeat: int
    rationale: str
    detail: dict[str, Any]
    version: str
    duration_ms: int | None
    cost: float | None
    created: str
    superseded: str | None
    replaces: int | None
    guideline: int | None
    counted: bool
    settings: dict[str, Any]
    profile: dict[str, Any]

    @property
    def is_voice(self) -> bool:
        """Whether it stands and is no consistency probe: a person's repeat checks the person and says nothing new."""
        return self.superseded is None and not (self.kind == PERSON and self.repeat > 0)


@dataclass(frozen=True, slots=True)
class Consensus:
    """What was settled on one aspect; `scores`, higher better, where it was rated or ranked."""

    outcome: str
    scores: dict[int, float]
    chosen: int | None
    rejected: int | None
    probability: float | None
    margin: float | None
    agreement: float | None
    source: str
    raters: list[str]
    route: str
    policy: str


@dataclass(frozen=True, slots=True)
class Case:
    """An instance with its responses, its settled pairs and its labels, oldest first."""

    instance: str
    prompt: Prompt
    context: dict[str, Any]
    metadata: dict[str, Any]
    group: str
    answers: list[Answer]
    consensus: dict[str, Consensus] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    guidelines: dict[int, dict[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """Facts about the whole selection that decide the rows' types, so that one file has one type a column."""

    conversational: bool = False
    implicit: bool = False
    project: str = ""
    aspects: tuple[str, ...] = ()
    tasks: dict[str, str] = field(default_factory=dict)
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)
    rubrics: dict[str, str] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    threshold: float = 0.0
    least: float = 0.0
    seed: int = 0

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """The shape that `dataclasses.asdict` and JSON made `stored` of."""
        scales = {name: tuple(ends) for name, ends in stored["scales"].items()}
        return cls(**{**stored, "aspects": tuple(stored["aspects"]), "scales": scales})
