"""Text that strangers wrote, as HTML that is safe to show: Markdown, code, mathematics, any script.

Three fences, each enough alone: raw HTML is off in the Markdown parser, the result passes nh3's
allow-list, and the pages' content security policy runs no inline script or style.

What could deceive or break a reader's page is made visible instead of obeyed: bidirectional overrides,
floods of zero-width characters and of combining marks, and control characters. The stored text stays as
it is; only what is shown changes.
"""

import re
import unicodedata
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

MARKDOWN_LIMIT = 60_000  # characters; longer texts are shown as they are, since parsing them costs too much
SHOWN_LIMIT = 400_000  # characters; beyond, a browser's layout takes seconds
BRACKET_LIMIT = 3_000  # opening brackets; the parser looks for the end of each, which takes quadratic time
CODE_LIMIT = 20_000  # characters in one block that are coloured
FORMULA = 4_000  # characters in one formula; looking further for its end would take quadratic time
FLOOD = 8  # combining marks on one letter that some script could need
HEADING_LEVEL = "3"  # content sits below the page's h1 and the pane's h2

# ---------------------------------------------------------------- characters

NAMES = {
    0x202A: "LRE", 0x202B: "RLE", 0x202C: "PDF", 0x202D: "LRO", 0x202E: "RLO",
    0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI",
}  # fmt: skip
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
ZERO_WIDTH = re.compile("[\u200b-\u200d\u2060\ufeff\u00ad\u180e\U000e0000-\U000e007f]{3,}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
MARKS = re.compile(
    f"(?:[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]){{{FLOOD},}}"
)
SHOWN_MARK = re.compile("⟦([A-Za-z0-9+× -]{2,24})⟧")


def visible(text: str) -> str:
    """`text` with characters that steer or hide written out, as in `⟦RLO⟧` or `⟦zero-width ×120⟧`."""
    text = BIDI.sub(lambda found: f"⟦{NAMES[ord(found[0])]}⟧", text)
    text = ZERO_WIDTH.sub(lambda found: f"⟦zero-width ×{len(found[0])}⟧", text)
    text = MARKS.sub(lambda found: f"⟦marks ×{len(found[0])}⟧", text)
    return CONTROL.sub(lambda found: f"⟦U+{ord(found[0]):04X}⟧", text.replace("\r\n", "\n"))


def escaped(text: str) -> str:
    """HTML of plain text, with the marks of `visible` set off."""
    return SHOWN_MARK.sub(r'<span class="odd">\1</span>', str(escape(text)))


ODD = re.compile("|".join(f"(?:{pattern.pattern})" for pattern in (BIDI, ZERO_WIDTH, MARKS, CONTROL)) + "|\r")


def counted(text: str) -> str:
    """HTML of plain text in which characters can still be counted: what is written out says how many it stands for."""
    html, at = [], 0
    for odd in ODD.finditer(text):
        shown = "" if odd[0] == "\r" else visible(odd[0]).strip("⟦⟧")
        html += [
            str(escape(text[at : odd.start()])),
            f'<span class="odd" data-length="{len(odd[0])}">{shown}</span>',
        ]
        at = odd.end()
    return "".join([*html, str(escape(text[at:]))])


def divided(source: str, segments: Sequence[tuple[int, int]]) -> SafeString:
    """`source` as plain text in which each segment is an element that says where it starts and ends."""
    html, at = [], 0
    for start, end in segments:
        body = counted(source[start:end])
        html += [
            counted(source[at:start]),
            f'<span class="seg" data-start="{start}" data-end="{end}">{body}</span>',
        ]
        at = end
    return mark_safe('<div class="plain" data-text>' + "".join([*html, counted(source[at:])]) + "</div>")  # noqa: S308


# ---------------------------------------------------------------- Markdown

Render = Callable[[RendererHTML, Sequence[Token], int, OptionsDict, MutableMapping[str, Any]], str]
BRACKETS = {"\\(": ("\\)", "math_inline"), "\\[": ("\\]", "math_inline_double")}


def bracket_math(state: StateInline, silent: bool) -> bool:
    r"""The inline rule for `\( … \)` and `\[ … \]`, which language models write as often as dollars."""
    opener = state.src[state.pos : state.pos + 2]
    if opener not in BRACKETS:
        return False
    closer, kind = BRACKETS[opener]
    end = state.src.find(closer, state.pos + 2, state.pos + FORMULA)
    if end < 0 or not state.src[state.pos + 2 : end].strip():
        return False
    if not silent:
        state.push(kind, "math", 0).content = state.src[state.pos + 2 : end]
    state.pos = end + 2
    return True


def coloured(code: str, language: str, _attributes: str) -> str:
    """HTML of a code block; plain where the language is unknown or the block is long."""
    if not language or len(code) > CODE_LIMIT:
        return escaped(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escaped(code)
    html = str(highlight(code, lexer, HtmlFormatter(nowrap=True)))
    return SHOWN_MARK.sub(r'<span class="odd">\1</span>', html)


def text(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    return escaped(tokens[at].content)


def inline_code(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    return f"<code>{escaped(tokens[at].content)}</code>"


def code_block(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    language = tokens[at].info.split(maxsplit=1)[0] if tokens[at].info.strip() else ""
    return f'<pre tabindex="0" class="hl"><code>{coloured(tokens[at].content, language, "")}</code></pre>\n'


def heading_open(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    return f'<p role="heading" aria-level="{HEADING_LEVEL}" class="{tokens[at].tag}">'


def heading_close(*_: Any) -> str:
    return "</p>\n"


PLAYERS = {"mp4": "video", "webm": "video", "mp3": "audio", "ogg": "audio", "wav": "audio", "flac": "audio"}


def image(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    """A picture, sound or film that Switchyard serves, or a picture in the text itself; a stranger's becomes a link.

    Loading it from elsewhere would tell that server who is labelling what.
    """
    source, alt = str(tokens[at].attrs.get("src", "")), escaped(tokens[at].content)
    host, alt_text = escape(urlsplit(source).netloc), escape(tokens[at].content)
    played = PLAYERS.get(source.rpartition(".")[2]) if source.startswith("/media/") else None
    if played:
        return f'<{played} controls preload="metadata" src="{escape(source)}" aria-label="{alt_text}"></{played}>'
    if source.startswith(("/media/", "data:image/")):
        return f'<img src="{escape(source)}" alt="{alt_text}" loading="lazy">'
    return f'<a href="{escape(source)}">{alt or host} ({host})</a>'


def table_open(*_: Any) -> str:
    return '<div class="scroll" tabindex="0"><table>\n'


def table_close(*_: Any) -> str:
    return "</table></div>\n"


def math_inline(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    return f'<span class="math">{escaped(tokens[at].content)}</span>'


def math_block(_self: RendererHTML, tokens: Sequence[Token], at: int, *_: Any) -> str:
    return f'<span class="math block">{escaped(tokens[at].content.strip())}</span>'


RULES: dict[str, Render] = {
    "text": text,
    "code_inline": inline_code,
    "code_block": code_block,
    "fence": code_block,
    "heading_open": heading_open,
    "heading_close": heading_close,
    "image": image,
    "table_open": table_open,
    "table_close": table_close,
    "math_inline": math_inline,
    "math_inline_double": math_block,
    "math_block": math_block,
}


def parser() -> MarkdownIt:
    """CommonMark with tables, strikethrough and mathematics; single newlines are kept, raw HTML is text."""
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    markdown.use(
        dollarmath_plugin, allow_space=False, allow_digits=False, allow_labels=False, double_inline=True
    )
    markdown.inline.ruler.before("escape", "bracket_math", bracket_math)
    for name, rule in RULES.items():
        markdown.add_render_rule(name, rule)
    return markdown


MARKDOWN = parser()
CLEANER = nh3.Cleaner(
    tags={
        "p", "br", "hr", "em", "strong", "s", "a", "img", "audio", "video", "ul", "ol", "li", "blockquote", "pre",
        "code", "span", "div", "table", "thead", "tbody", "tr", "th", "td",
    },
    attributes={
        "a": {"href", "title", "target"}, "img": {"src", "alt", "loading"},
        "audio": {"src", "controls", "preload", "aria-label"}, "video": {"src", "controls", "preload", "aria-label"},
        "ol": {"start"}, "span": {"class"},
        "div": {"class", "tabindex"}, "pre": {"class", "tabindex"}, "p": {"class", "role", "aria-level"},
    },
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes={"http", "https", "mailto", "data"},
    link_rel="noopener noreferrer nofollow",
)  # fmt: skip


@dataclass(frozen=True)
class Content:
    """A text as it is shown: its HTML, its length in words, and what it needs from the page."""

    html: SafeString
    words: int
    has_math: bool
    cut: int  # characters left out at the end


@lru_cache(maxsize=512)
def render(source: str, *, markdown: bool = True) -> Content:
    """`source` as safe HTML; as plain text where it is long or `markdown` is off."""
    shown = visible(source[:SHOWN_LIMIT])
    cut = max(0, len(source) - SHOWN_LIMIT)
    if not markdown or len(source) > MARKDOWN_LIMIT or source.count("[") > BRACKET_LIMIT:
        return Content(mark_safe(f'<div class="plain">{escaped(shown)}</div>'), words(shown), False, cut)  # noqa: S308
    html = CLEANER.clean(MARKDOWN.render(shown))
    return Content(mark_safe(html), words(shown), 'class="math' in html, cut)  # noqa: S308


@lru_cache(maxsize=512)
def code(source: str, language: str = "") -> Content:
    """`source` as a block of code, in colour where the language is known."""
    shown = visible(source[:SHOWN_LIMIT])
    html = f'<pre tabindex="0" class="hl"><code>{coloured(shown, language, "")}</code></pre>'
    cut = max(0, len(source) - SHOWN_LIMIT)
    return Content(mark_safe(CLEANER.clean(html)), words(shown), False, cut)  # noqa: S308


WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’-][^\W_]+)*")


def words(source: str) -> int:
    """How many words; each Chinese, Japanese or Korean character counts as one."""
    return sum(1 for _ in WORD.finditer(source))


RTL = frozenset({"R", "AL"})


def direction(source: str) -> str:
    """`rtl` where the first letter with a direction runs right to left, else `ltr` (Unicode UAX #9, P2-P3)."""
    for character in source[:2000]:
        kind = unicodedata.bidirectional(character)
        if kind in RTL:
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"
