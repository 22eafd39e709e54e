"""Edit: the response as the rater would have written it, with the word diff and the edit distance."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    Vote,
    clean_extras,
    clean_flag,
    refuse_unknown,
    require_object,
    shared_settings,
)

LIMIT = 400_000  # characters of an edited text
TOKEN = re.compile(r"\s+|[^\W_]+(?:['’-][^\W_]+)*|.", re.DOTALL)
MOST_CELLS = 20_000_000  # words before times words after
SIGNS = ("=", "-", "+")

Diff = list[list[str]]


def word_diff(before: str, after: str) -> Diff:
    """The parts of the edit from `before` to `after`, by words; one exchange of all where the texts are huge."""
    old, new = TOKEN.findall(before), TOKEN.findall(after)
    if len(old) * len(new) > MOST_CELLS:
        return [part for part in (["-", before], ["+", after]) if part[1]]
    diff: Diff = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            diff.append(["=", "".join(old[a:b])])
            continue
        diff += [part for part in (["-", "".join(old[a:b])], ["+", "".join(new[c:d])]) if part[1]]
    return diff


def apply(diff: Sequence[Sequence[str]], sign: str) -> str:
    """The text before (`-`) or after (`+`) an edit, from its diff."""
    return "".join(text for kind, text in diff if kind in ("=", sign))


def changed_words(diff: Sequence[Sequence[str]]) -> int:
    """The edit distance in words: words taken out and words put in, spaces not counted."""
    changed = (text for kind, text in diff if kind != "=")
    return sum(1 for text in changed for token in TOKEN.findall(text) if not token.isspace())


class Edit:
    """`{"edits": {"0": {"text": "…", "diff": [["=", "a "], ["-", "b"], ["+", "c"]], "distance": 2}}}`.

    `{"edits": {}}` says that nothing needs changing. `diff` is optional for those who send no more than a
    text; where it is given it must lead to the text, and `distance` follows from it. An export can make
    *edit preferred to original* of it; among the responses themselves it orders nothing.
    """

    name = "edit"
    title = "Rewrite a response"

    def fits(self, size: int) -> bool:
        return size >= 1

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        filled = {"unchanged": clean_flag(given, "unchanged", True), **shared_settings(given)}
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"edits"} | EXTRAS)
        edits = value.get("edits")
        known = {str(index) for index in range(size)}
        if not isinstance(edits, dict) or not set(edits) <= known:
            raise InvalidAnswer(f"edits must map indices of responses in 0…{size - 1} to edits.")
        if not edits and not settings["unchanged"]:
            raise InvalidAnswer("At least one response must be edited.")
        cleaned = {index: self.clean_edit(edits[index]) for index in sorted(edits, key=int)}
        return {"edits": cleaned} | clean_extras(value, settings)

    def clean_edit(self, edit: Any) -> dict[str, Any]:
        edit = require_object(edit, allowed={"text", "diff", "distance"})
        text, diff = edit.get("text"), edit.get("diff")
        if not isinstance(text, str) or len(text) > LIMIT:
            raise InvalidAnswer(f"An edit needs a text of at most {LIMIT:,} characters.")
        if diff is None:
            return {"text": text}
        if not isinstance(diff, list) or not all(is_part(part) for part in diff) or apply(diff, "+") != text:
            raise InvalidAnswer("An edit's diff must be parts [sign, text] that lead to its text.")
        return {"text": text, "diff": diff, "distance": changed_words(diff)}

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        return []


def is_part(part: Any) -> bool:
    return isinstance(part, list) and len(part) == 2 and part[0] in SIGNS and isinstance(part[1], str)


EDIT = Edit()
