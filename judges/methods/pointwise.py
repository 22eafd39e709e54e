"""What the methods that score each response alone have in common: from scores to a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from judges.items import Item, Message, Question
from judges.prompting import said
from judges.requests import Answer, usage_of
from judges.safety import neutralise
from judges.verdicts import Failed, Verdict, scored_value

BLIND = Failed("a likelihood is one of words, and a response shows pictures")
EVERY_TASK = frozenset({"pairwise", "ranking", "rating"})


def scored(
    scores: Sequence[float],
    question: Question,
    answers: Sequence[Answer],
    *,
    detail: Mapping[str, object],
    spread: Sequence[float] | None = None,
) -> Verdict:
    """The verdict of one score a response in log-odds units; nothing was shown in an order."""
    value = scored_value(scores, question, spread=spread)
    kept = {**detail, "scores": [round(float(score), 6) for score in scores]}
    return Verdict(value=value, detail=kept, usage=usage_of(answers))


def chat_with(item: Item, index: int) -> tuple[Message, ...]:
    """The item's conversation with the response as the assistant's turn, everything disarmed."""
    turns = [Message("system", neutralise(item.system).text)] if item.system else []
    turns += [Message(turn.role, neutralise(turn.content).text, turn.images) for turn in item.prompt]
    return (*turns, Message("assistant", said(item, index).text, item.pictures_of(index)))


def words_of(item: Item) -> list[str]:
    """Every response's words, disarmed."""
    return [said(item, index).text for index in range(len(item.responses))]


def chat_before(item: Item, *, system: str = "") -> tuple[Message, ...]:
    """The item's conversation up to the response, under `system` where it is given."""
    guiding = "\n\n".join(text for text in (system, neutralise(item.system).text) if text)
    turns = [Message("system", guiding)] if guiding else []
    spoken = [turn for turn in item.prompt if turn.role != "system"]
    return (*turns, *(Message(turn.role, neutralise(turn.content).text, turn.images) for turn in spoken))
