"""The schema `joint`: pairs of instruction and response together, as the export `joint` writes them.

A conversation with an instruction of its own becomes the whole response. What both begin with up to the first answer,
or a side that does not begin with a user's turn, is the instance's prompt; where there is neither, the two
instructions stand for it.
"""

from typing import Any

from ledger.imports.drafts import BadRow, Draft, check_messages
from ledger.imports.preference import KNOWN as OF_PAIRS
from ledger.imports.preference import common_beginning, paired, response

PARTS = ("chosen_instruction", "chosen_response", "rejected_instruction", "rejected_response")
KNOWN = OF_PAIRS | set(PARTS)
TASK = "joint"
Messages = list[dict[str, Any]]


def parse(row: dict[str, Any]) -> Draft:
    """The draft of one row. Raises `BadRow`."""
    sides = {name: check_messages(row.get(name), name) for name in ("chosen", "rejected")}
    asked = {name: before_answer(messages, name) for name, messages in sides.items()}
    shared = min(common_beginning(*sides.values()), *map(len, asked.values()))
    prompt = sides["chosen"][:shared]
    for name, messages in sides.items():
        if shared or messages[0]["role"] != "user":
            prompt = prompt or asked[name]
            sides[name] = messages[len(prompt) :]
    prompt = prompt or [{"role": "user", "content": "\n\n".join(map(instruction, asked.values()))}]
    chosen, rejected = (whole(name, messages) for name, messages in sides.items())
    return paired(row, prompt, chosen, rejected, known=KNOWN, task=TASK)


def before_answer(messages: Messages, name: str) -> Messages:
    """The turns before the assistant's first. Raises `BadRow` where there is none."""
    at = next((at for at, message in enumerate(messages) if message["role"] == "assistant"), 0)
    if not at:
        raise BadRow(f"{name} must hold an instruction and an answer to it.")
    return messages[:at]


def instruction(messages: Messages) -> str:
    return "\n".join(message.get("content") or "" for message in messages if message["role"] == "user")


def whole(name: str, messages: Messages) -> Any:
    return response(name, messages, name)
