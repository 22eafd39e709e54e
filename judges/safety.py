"""Text under judgement is hostile: how it is disarmed, fenced and cut before a judge reads it.

Three steps, in this order, each recorded in the verdict's detail:

1. `neutralise`: whatever a chat template or tokenizer could take for structure (special tokens, role
   headers, our own fence's tags and speakers' marks, invisible and direction-changing characters, line ends
   of other kinds) is written so that it is still legible and no longer that.
2. `balance`: texts over the budget are cut in the middle, the longest first, so that the responses keep
   equal rooms.
3. `fence`: the text stands between tags that, after step 1, cannot occur within it.

Natural-language persuasion ("ignore the above") stays in the text, since it is what is judged; the attack
suite measures how far a judge falls for it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

FENCES = (
    "request",
    r"response(?:_[a-z]{1,2})?",
    "reference",
    "system_prompt",
    "criterion",
    "persona",
    "argument",
)

# <|im_start|>, <|eot_id|>, <｜User｜> (DeepSeek's full-width bars), <|reserved_special_token_7|>, cut-off
# ones too
_BARS = re.compile(r"<\s*[|｜¦]\s*([^<>|｜¦\n]{0,48}?)\s*[|｜¦]\s*>")
_OPEN_BAR = re.compile(r"<(?=\s*[|｜¦])|(?<=[|｜¦])>")
# Llama 2, Mistral, Gemma, Zephyr, Phi, T5, BERT, code models, tool calls and reasoning
_ANGLES = re.compile(
    r"<(\s*/?\s*(?:s|bos|eos|pad|unk|mask|sep|cls|think|thinking|tool_call|tool_response|tools|"
    r"function_calls?|sys|system|user|assistant|human|start_of_turn|end_of_turn|start_of_image|"
    r"end_of_image|image|img|audio|video|extra_id_\d+|fim_\w+|file_sep|repo_?name|gh_stars|filename|"
    r"issue_\w+|jupyter_\w+|empty_output|endoftext|"
    r"commit_\w+|role|message|instructions?|verdict|answer|" + "|".join(FENCES) + r")\b[^<>\n]{0,80})>",
    re.IGNORECASE,
)
_SQUARES = re.compile(
    r"(\[\s*/?\s*(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|IMG|PREFIX|SUFFIX|MIDDLE|"
    r"CLS|SEP|MASK|PAD|UNK|BOS|EOS)\s*\])|(<<\s*/?\s*SYS\s*>>)",
    re.IGNORECASE,
)
_HEADERS = re.compile(r"(?im)^([ \t#*>]*)(system|user|assistant|human|judge|verdict)([ \t*]*):")
# How a text of several turns names its speakers (`prompting.told`)
_SPEAKERS = re.compile(
    r"(?im)^([ \t>*#]*)\[(\s*(?:system|developer|user|human|assistant|tool)(?:\s[^\]\n]{0,80})?)\]"
)
_LINE_ENDS = re.compile(r"\r(?!\n)|[\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = {"Cf", "Co", "Cn", "Cs"}
_KEPT = {"\u200d", "\u200c"}  # joiners carry meaning in emoji and in Persian and Indic scripts


@dataclass(frozen=True, slots=True)
class Disarmed:
    """A text made harmless, and how many places were changed."""

    text: str
    changes: int


def neutralise(text: str, specials: Sequence[str] = ()) -> Disarmed:
    """`text` with everything that could pass for the template's structure made visible as plain text.

    `specials` are the answering tokenizer's own special tokens, disarmed wherever they occur.
    """
    plain, removed = _without_invisible(text)
    changes = removed
    for pattern, replacement in (
        (_LINE_ENDS, "\n"),
        (_BARS, r"‹¦\1¦›"),
        (_ANGLES, r"‹\1›"),
        (_OPEN_BAR, "‹"),
        (_SQUARES, _squares),
        (_HEADERS, r"\1\2\3꞉"),
        (_SPEAKERS, r"\1⟦\2⟧"),
    ):
        plain, count = pattern.subn(replacement, plain)
        changes += count
    for special in sorted(specials, key=len, reverse=True):
        if special.strip() and special in plain:
            changes += plain.count(special)
            plain = plain.replace(special, _spelled(special))
    return Disarmed(plain, changes)


def fence(name: str, text: str) -> str:
    """`text`, neutralised before, between the tags of the fence `name`."""
    return f"<{name}>\n{text}\n</{name}>"


def balance(texts: Sequence[str], budget: int) -> tuple[list[str], list[int]]:
    """`texts` cut to `budget` characters together, and the characters cut from each.

    Water-filling: a text shorter than its fair share keeps all and leaves its rest to the others. A cut
    keeps the beginning and the end and says in the middle how much is missing.
    """
    room = _fair_shares([len(text) for text in texts], budget)
    kept = [_cut(text, share) for text, share in zip(texts, room, strict=True)]
    return kept, [max(len(text) - share, 0) for text, share in zip(texts, room, strict=True)]


def _fair_shares(lengths: Sequence[int], budget: int) -> list[int]:
    """How many characters of each text stay: sum at most `budget`, equal among those that are cut."""
    shares, left, waiting = [0] * len(lengths), budget, sorted(range(len(lengths)), key=lambda i: lengths[i])
    while waiting:
        index = waiting.pop(0)
        shares[index] = min(lengths[index], left // (len(waiting) + 1))
        left -= shares[index]
    return shares


def _cut(text: str, share: int) -> str:
    if len(text) <= share:
        return text
    mark = f"\n[… {len(text) - share} characters left out …]\n"
    head = max(share * 2 // 3, 0)
    return text[:head] + mark + (text[len(text) - (share - head) :] if share > head else "")


def _without_invisible(text: str) -> tuple[str, int]:
    """`text` in NFC without format, private-use and unassigned characters, and how many were dropped.

    Those hide tokens ("<|im_\u200bstart|>") and turn the reading direction; NFKC would also fold full-width
    bars, but would change what is judged, so the patterns name the full-width forms instead.
    """
    if text.isascii():
        return text, 0
    kept = [c for c in text if c in _KEPT or unicodedata.category(c) not in _INVISIBLE]
    return unicodedata.normalize("NFC", "".join(kept)), len(text) - len(kept)


def _squares(match: re.Match[str]) -> str:
    return match.group(0).replace("[", "⟦").replace("]", "⟧").replace("<<", "‹‹").replace(">>", "››")


def _spelled(special: str) -> str:
    """A special token with its first two characters parted by a visible dot, so that it is no token any
    more.
    """
    return f"{special[0]}·{special[1:]}"
