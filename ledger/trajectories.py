"""A trajectory: a response of several messages, and the steps in it that can be judged one by one.

A step is what an assistant said, one of its tool calls, or the result of one. It is named by its message's index in
the response's `messages` and, for a call, by the call's index among that message's `tool_calls`; what a user says in
between is no step. Tool calls are in OpenAI's form, `{"function": {"name", "arguments"}}`, with or without the
envelope; the arguments an object, or a text that holds one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

Messages = Sequence[Mapping[str, Any]]
SAID, CALL, RESULT = "said", "call", "result"


@dataclass(frozen=True)
class Step:
    """One step: where it stands, its kind, the tool's name where there is one, and its text.

    The text of a call is its arguments, set out as JSON.
    """

    message: int
    call: int | None
    kind: str
    tool: str
    text: str

    @property
    def place(self) -> tuple[int, int | None]:
        return self.message, self.call

    def written(self) -> str:
        """The step as plain text: calls and results between the tags that most chat templates use for them."""
        if self.kind == CALL:
            return f'<tool_call>\n{{"name": {dumped(self.tool)}, "arguments": {self.text}}}\n</tool_call>'
        return f"<tool_response>\n{self.text}\n</tool_response>" if self.kind == RESULT else self.text


def steps_of(messages: Messages | None) -> list[Step]:
    """The steps of a trajectory in order; none where the messages hold fewer than two."""
    found = [step for place, message in enumerate(messages or ()) for step in steps_in(message, place)]
    return found if len(found) > 1 else []


def steps_in(message: Mapping[str, Any], place: int) -> Iterator[Step]:
    """What one message holds: its text, then its calls."""
    content = message.get("content") or ""
    if message.get("role") == "tool":
        yield Step(place, None, RESULT, str(message.get("name") or ""), content)
    elif message.get("role") == "assistant":
        if content.strip():
            yield Step(place, None, SAID, "", content)
        for index, call in enumerate(message.get("tool_calls") or ()):
            yield Step(place, index, CALL, *called(call))


def called(call: Mapping[str, Any]) -> tuple[str, str]:
    """A call's tool and its arguments as JSON; arguments that are none stay the text that they are."""
    function = call.get("function") or call
    arguments = function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return str(function.get("name", "")), arguments
    return str(function.get("name", "")), dumped(arguments)


def dumped(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def written(message: Mapping[str, Any]) -> str:
    """A message's content with its tool calls written out, for readers that know texts alone."""
    if not message.get("tool_calls"):
        return message.get("content") or ""
    calls = [step.written() for step in steps_in(message, 0) if step.kind == CALL]
    return "\n".join(part for part in [message.get("content") or "", *calls] if part)
