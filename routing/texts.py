"""A prompt as one text, whatever it is made of."""

from __future__ import annotations

from typing import Any


def text_of(prompt: str | list[dict[str, Any]]) -> str:
    """A prompt as one text: a chat's contents, one below the other."""
    if isinstance(prompt, str):
        return prompt
    return "\n\n".join(content_text(message.get("content")) for message in prompt)


def content_text(content: Any) -> str:
    """The text of a message's content, which may be a list of typed parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
