"""`multi-turn`: whole trajectories, and the pair of turns where two of them part.

`level` is `trajectory` for the whole continuation after the prompt, `turn` for the first turn in which the
two differ: the turns that they share are then part of the prompt, so that both stand in one context.
Always conversational. Pairs of single turns on a single question are left to `trl-preference`.
"""

from collections.abc import Iterable
from itertools import takewhile

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import INTEGER, MESSAGES, TEXT, Columns
from exports.formats.texts import PROVENANCE, as_messages, as_reply, provenance
from exports.records import Message, Pair, Shape


def columns(shape: Shape) -> Columns:
    texts = dict.fromkeys(("prompt", "chosen", "rejected"), MESSAGES)
    return {**texts, "level": TEXT, "turn": INTEGER, "turns": INTEGER, **PROVENANCE}


def rows(pair: Pair, shape: Shape) -> Iterable[Row]:
    """The trajectory's row and, where the first different turn is the assistant's, that turn's."""
    prompt = as_messages(pair.prompt, pair.system)
    chosen = as_reply(pair.chosen, pair.chosen_messages)
    rejected = as_reply(pair.rejected, pair.rejected_messages)
    if len(prompt) < 2 and len(chosen) < 2 and len(rejected) < 2:
        return
    turns = len(prompt) + max(len(chosen), len(rejected))
    yield row(pair, prompt, chosen, rejected, level="trajectory", turns=turns)
    shared = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(chosen, rejected)))
    if max(len(chosen), len(rejected)) > 1 and parts_at_reply(chosen, rejected, shared):
        at = slice(shared, shared + 1)
        yield row(pair, prompt + chosen[:shared], chosen[at], rejected[at], level="turn", turns=turns)


def parts_at_reply(chosen: list[Message], rejected: list[Message], at: int) -> bool:
    """Whether both go on at `at` with a turn of the assistant's."""
    return all(len(side) > at and side[at]["role"] == "assistant" for side in (chosen, rejected))


def row(
    pair: Pair,
    prompt: list[Message],
    chosen: list[Message],
    rejected: list[Message],
    *,
    level: str,
    turns: int,
) -> Row:
    texts = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    return {**texts, "level": level, "turn": len(prompt), "turns": turns, **provenance(pair)}


FORMAT = Format(
    name="multi-turn",
    label="Whole trajectories, and the turn where they part",
    trainers=("DPOTrainer", "RewardTrainer"),
    reads=Reads.PAIRS,
    columns=columns,
    rows=rows,
    needs="a settled preference between conversations of several turns",
    check="pairs",
)
