"""Where a text divides: sentences, and the steps of a reasoning. Offsets count Unicode characters."""

import re

Segment = tuple[int, int]

# A sentence ends at its mark (with closing quotes) before a space that no lower-case letter follows, at a
# full-width mark, or at the end of a line.
SENTENCE_END = re.compile(
    r"(?<=[.!?…؟])(?P<quotes>[\"'”’)\]]*)[ \t]+(?=[^a-z\s])|(?<=[。！？])(?P<wide>[”’）]*)|\n+"
)
BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
LINES = re.compile(r"\n+")
MOST = 500  # segments; a text with more keeps its rest in the last


def divide(text: str, boundary: re.Pattern[str]) -> list[Segment]:
    """The stretches between boundaries, without the white space around them."""
    cuts = [cut(found) for found in boundary.finditer(text)][: MOST - 1]
    starts = [0, *(end for _start, end in cuts)]
    ends = [*(start for start, _end in cuts), len(text)]
    trimmed = (trim(text, start, end) for start, end in zip(starts, ends, strict=True))
    return [(start, end) for start, end in trimmed if start < end]


def cut(found: re.Match[str]) -> Segment:
    """Where one segment ends and the next begins; closing quotes stay with the first."""
    return (found.end(found.lastgroup) if found.lastgroup else found.start()), found.end()


def trim(text: str, start: int, end: int) -> Segment:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def sentences(text: str) -> list[Segment]:
    return divide(text, SENTENCE_END)


def steps(text: str) -> list[Segment]:
    """Paragraphs; lines where there is but one paragraph."""
    paragraphs = divide(text, BLANK_LINES)
    return paragraphs if len(paragraphs) > 1 else divide(text, LINES)
