"""A draft: one instance and its labels as read from a file, checked but not yet written."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import isfinite, nan
from typing import Any

import orjson

from web.problems import Invalid

ROLES = {"system", "developer", "user", "assistant", "tool"}
MAX_RESPONSES = 64
MAX_TEXT = 4_000_000  # characters: a longer text is a mistake in the file rather than an answer
MAX_REF = 300
CONTEXT_KEYS = ("system", "reference", "rubric", "principles", "persona")


class BadRow(Invalid):
    """A row that cannot be imported; the report names its line and this reason."""

    code, title = "bad-row", "The row cannot be imported"


@dataclass(slots=True)
class DraftResponse:
    key: str
    text: str
    model: str = ""
    messages: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Origin:
    """What an archive remembers of a label beyond its verdict; `id` and `replaces` are the archive's ids."""

    id: int
    replaces: int | None
    repeat: int
    version: str
    duration_ms: int | None
    cost: Decimal | None
    created: datetime
    superseded: datetime | None
    guideline: int | None = None  # the number of the version that was read


@dataclass(slots=True)
class DraftGuideline:
    """A version of the guidelines that an archive carries."""

    number: int
    text: str
    created: datetime


@dataclass(slots=True)
class DraftLabel:
    """A verdict from the file. `kind`: person or judge; `order` empty where unknown; `origin` in archives alone."""

    kind: str
    rater: str
    aspect: str
    task_type: str
    value: dict[str, Any]
    scale: dict[str, Any] = field(default_factory=dict)
    order: tuple[int, ...] = ()
    level: str = ""
    rationale: str = ""
    detail: dict[str, Any] = field(default_factory=dict)
    repeat: int = 0
    exact: bool = False  # whether the value means what it means on this very scale alone
    origin: Origin | None = None


@dataclass(slots=True)
class Draft:
    ref: str
    prompt: str | list[dict[str, Any]]
    responses: list[DraftResponse]
    context: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    labels: list[DraftLabel] = field(default_factory=list)
    guidelines: list[DraftGuideline] = field(default_factory=list)
    content_hash: str = ""
    prompt_hash: str = ""

    def finish(self) -> "Draft":
        """Fills in the hashes, and the id where the file gives none."""
        prompt = orjson.dumps(self.prompt, option=orjson.OPT_SORT_KEYS)
        content = [self.context, [(r.key, r.model, r.text, r.messages, r.metadata) for r in self.responses]]
        digest = hashlib.blake2b(prompt, digest_size=32)
        digest.update(orjson.dumps(content, option=orjson.OPT_SORT_KEYS))
        self.content_hash = digest.hexdigest()
        self.prompt_hash = hashlib.blake2b(prompt, digest_size=16).hexdigest()
        self.ref = self.ref or self.content_hash[:32]
        return self


@dataclass(slots=True)
class Part:
    """One response of an instance, from a row that speaks of it alone; its labels speak of response 0.

    `index`: where it stood among the instance's responses, None where the row does not tell.
    """

    ref: str
    prompt: str | list[dict[str, Any]]
    response: DraftResponse
    index: int | None
    context: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    labels: list[DraftLabel] = field(default_factory=list)


def widest(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """`one`, a scale or a choice of labels, stretched to hold `other` too."""
    if "labels" in other:
        return {**one, "labels": list(dict.fromkeys([*one["labels"], *other["labels"]]))}
    least, most = min(one["min"], other["min"]), max(one["max"], other["max"])
    return {**one, "min": least, "max": most, "step": min(one["step"], other["step"])}


def check_text(text: Any, name: str) -> str:
    """`text` if it is a text that can be stored unchanged. Raises `BadRow` naming the field."""
    if not isinstance(text, str):
        raise BadRow(f"{name} must be a text, not {type(text).__name__}.")
    if "\x00" in text:
        raise BadRow(f"{name} contains a NUL character, which cannot be stored unchanged.")
    if len(text) > MAX_TEXT:
        raise BadRow(f"{name} has {len(text):,} characters; at most {MAX_TEXT:,} are taken.")
    return text


def check_messages(messages: Any, name: str) -> list[dict[str, Any]]:
    """`messages` if they are chat messages: objects with a known role and a text as content. Raises `BadRow`.

    An assistant's message that calls tools may leave its content out.
    """
    if not isinstance(messages, list) or not messages:
        raise BadRow(f"{name} must be a list of chat messages.")
    for place, message in enumerate(messages):
        if not isinstance(message, dict):
            raise BadRow(f"{name}[{place}] must be an object with role and content.")
        if message.get("role") not in ROLES:
            raise BadRow(
                f"{name}[{place}].role must be one of {', '.join(sorted(ROLES))}, not {message.get('role')!r}."
            )
        calls = check_calls(message, f"{name}[{place}]")
        if message.get("content") is not None or not calls:
            check_text(message.get("content"), f"{name}[{place}].content")
    return messages


def check_calls(message: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The message's tool calls, each with a name and arguments, in OpenAI's form. Raises `BadRow`."""
    calls = message.get("tool_calls")
    if calls is None:
        return []
    if not isinstance(calls, list) or message["role"] != "assistant":
        raise BadRow(f"{name}.tool_calls must be a list, in a message of the assistant.")
    for place, call in enumerate(calls):
        function = (call.get("function") or call) if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise BadRow(f"{name}.tool_calls[{place}] must be an object whose function has a name.")
        if not isinstance(function.get("arguments", {}), dict | str):
            raise BadRow(f"{name}.tool_calls[{place}].arguments must be an object, or a text that holds one.")
        check_object(call, f"{name}.tool_calls[{place}]")
    return calls


def check_prompt(prompt: Any) -> str | list[dict[str, Any]]:
    if prompt is None:
        raise BadRow("prompt is missing.")
    if isinstance(prompt, str):
        if not prompt.strip():
            raise BadRow("prompt is empty.")
        return check_text(prompt, "prompt")
    return check_messages(prompt, "prompt")


def check_ref(ref: Any) -> str:
    """The id as a text; a whole number is taken as its digits. Raises `BadRow`."""
    if ref is None or ref == "":
        return ""
    if isinstance(ref, int) and not isinstance(ref, bool):
        ref = str(ref)
    if not isinstance(ref, str) or len(ref) > MAX_REF:
        raise BadRow(f"id must be a text of at most {MAX_REF} characters.")
    return check_text(ref, "id")


def check_object(value: Any, name: str) -> dict[str, Any]:
    """`value` as an object, empty where it is missing; NUL characters anywhere inside are refused."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRow(f"{name} must be an object, not {type(value).__name__}.")
    if b"\\u0000" in orjson.dumps(value):
        raise BadRow(f"{name} contains a NUL character, which cannot be stored unchanged.")
    return value


def check_number(value: Any, name: str) -> int | float:
    """`value` as a number, out of a text (a CSV's cell) too. Raises `BadRow`."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = nan
    if isinstance(value, bool) or not isfinite(number):
        raise BadRow(f"{name} must be a number, not {value!r:.80}.")
    return int(number) if number.is_integer() else number


def rest(row: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The row's other columns, which become metadata. Raises `BadRow`."""
    return check_object({key: given for key, given in row.items() if key not in known}, "metadata")


def check_count(responses: list[DraftResponse], *, least: int = 2) -> list[DraftResponse]:
    if not least <= len(responses) <= MAX_RESPONSES:
        raise BadRow(f"responses must be {least}…{MAX_RESPONSES}, not {len(responses)}.")
    keys = [response.key for response in responses]
    if len(set(keys)) < len(keys):
        raise BadRow("Two responses carry the same id.")
    return responses
