"""`joint`: preferences over (instruction, response) pairs with different prompts: DOVE (Bansal et al. 2024).

`chosen` and `rejected` are whole conversations, instruction included (TRL's implicit prompt, here without a shared
one); the two parts stand beside them as texts.
"""

from collections.abc import Iterable

from exports.formats.base import Format, Reads, Row
from exports.formats.columns import MESSAGES, TEXT, Columns
from exports.formats.texts import PROVENANCE, as_messages, as_reply, provenance
from exports.records import Message, Pair, Shape

TASK = "joint"
PARTS = ("chosen_instruction", "chosen_response", "rejected_instruction", "rejected_response")


def columns(shape: Shape) -> Columns:
    return {"chosen": MESSAGES, "rejected": MESSAGES, **dict.fromkeys(PARTS, TEXT), **PROVENANCE}


def rows(pair: Pair, shape: Shape) -> Iterable[Row]:
    """One row a pair of a joint aspect."""
    if shape.tasks.get(pair.aspect) != TASK:
        return ()
    chosen = whole(pair, pair.chosen, pair.chosen_messages)
    rejected = whole(pair, pair.rejected, pair.rejected_messages)
    parts = (instruction(chosen), chosen[-1]["content"], instruction(rejected), rejected[-1]["content"])
    return ({"chosen": chosen, "rejected": rejected, **dict(zip(PARTS, parts)), **provenance(pair)},)


def whole(pair: Pair, text: str, messages: list[Message] | None) -> list[Message]:
    """The response with its own instruction in front; the shared prompt's where it brings none."""
    reply = as_reply(text, messages)
    return reply if reply[0]["role"] == "user" else as_messages(pair.prompt, pair.system) + reply


def instruction(conversation: list[Message]) -> str:
    return "\n".join(turn["content"] for turn in conversation if turn["role"] == "user")


FORMAT = Format(
    name="joint",
    label="Preferences over instruction and response together: DOVE",
    trainers=("DOVE", "RewardTrainer"),
    reads=Reads.PAIRS,
    columns=columns,
    rows=rows,
    needs="an aspect of the task type joint",
    all_aspects=True,
    check="reward",
)
