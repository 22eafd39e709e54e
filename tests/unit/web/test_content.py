"""Hostile and honest text, as it reaches the page."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from web.content import MARKDOWN_LIMIT, SHOWN_LIMIT, direction, render, visible, words

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt&colon;alert(1))",
    "![a](javascript:alert(1))",
    "[a](data:text/html;base64,PHNjcmlwdD4=)",
    "[a](vbscript:x)",
    '[a](http://x "t\\" onmouseover=alert(1) x=\\"")',
    "```html\n<script>alert(1)</script>\n```",
    '```x" onload="alert(1)\ncode\n```',
    "$<script>alert(1)</script>$",
    "\\(<img src=x onerror=alert(1)>\\)",
    '![⟦RLO⟧" onerror=alert(1) x="](/media/a.png)',
    "<iframe src=javascript:alert(1)>",
    "<style>*{display:none}</style>",
    "| a |\n|---|\n| <b onclick=x>x</b> |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
TAG = re.compile(r"<[a-z][^>]*>")


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_markdown_runs_nothing(source: str) -> None:
    html = render(source).html
    assert not re.search(r"<(script|svg|iframe|style|object|embed|form|input)\b", html)
    for tag in TAG.findall(html):
        attributes = re.sub(r'"[^"]*"', '""', tag)
        assert not re.search(r"\son\w+\s*=", attributes), tag
        assert not re.search(r'(href|src)="\s*(javascript|vbscript|data:text)', tag, re.IGNORECASE), tag


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from(list("<>\"'=()[]!`$\\|*_#- \nabon/:&;⟦⟧\u202e\u200b")), max_size=80))
def test_no_markup_of_the_author_survives(source: str) -> None:
    for tag in TAG.findall(render(source).html):
        assert re.match(
            r"<(p|br|hr|em|strong|s|a|img|ul|ol|li|blockquote|pre|code|span|div|table|thead|tbody|tr|th|td)\b",
            tag,
        )
        assert not re.search(r"\son\w+=", re.sub(r'"[^"]*"', '""', tag))


def test_characters_that_steer_are_written_out() -> None:
    assert visible("a\u202eb\u2066c") == "a⟦RLO⟧b⟦LRI⟧c"
    assert visible("x" + "\u200b" * 5000 + "y") == "x⟦zero-width ×5000⟧y"
    assert visible("e" + "\u0301" * 40) == "e⟦marks ×40⟧"
    assert visible("a\x00b\x1b[31m") == "a⟦U+0000⟧b⟦U+001B⟧[31m"
    assert '<span class="odd">RLO</span>' in render("a\u202eb").html
    assert '<span class="odd">RLO</span>' in render("```python\nx = 'a\u202eb'\n```").html


def test_honest_joiners_and_accents_stay() -> None:
    for source in ("می\u200cخواهم", "👩\u200d👩\u200d👧", "é", "e\u0301", "हिन्दी", "\u200fשלום"):
        assert visible(source) == source


def test_links_tell_nobody_where_they_were_clicked() -> None:
    html = render("[site](https://example.org/)").html
    assert 'href="https://example.org/"' in html and 'target="_blank"' in html
    assert 'rel="noopener noreferrer nofollow"' in html


def test_a_strangers_image_becomes_a_link() -> None:
    html = render("![a chart](https://tracker.example/x.png)").html
    assert "<img" not in html and "a chart (tracker.example)" in html
    assert '<img src="/media/x.png" alt="a chart"' in render("![a chart](/media/x.png)").html


@pytest.mark.parametrize("source", ["$x^2$", "$$x^2$$", r"\(x^2\)", r"\[x^2\]", "a\n\n$$\nx^2\n$$"])
def test_mathematics_is_marked_for_the_page(source: str) -> None:
    content = render(source)
    assert content.has_math and "x^2</span>" in content.html


def test_prices_are_not_mathematics() -> None:
    assert not render("It costs $5, not $10.").has_math


def test_code_is_coloured_by_class_alone() -> None:
    html = render("```python\ndef f(): return 1\n```").html
    assert '<span class="k">def</span>' in html and "style=" not in html
    assert "<code>x &lt; y\n</code>" in render("```no-such-language\nx < y\n```").html


def test_long_texts_are_shown_plain_and_quickly() -> None:
    start = time.process_time()
    content = render("[*`" * 700_000)
    assert time.process_time() - start < 2
    assert content.cut == 2_100_000 - SHOWN_LIMIT and content.html.startswith('<div class="plain">')


@pytest.mark.parametrize("unit", ["[", "*a ", "> ", "- ", "`", "![", "$", "\\(", "|a", "<", "**a_"])
def test_repeated_markup_cannot_stall_the_page(unit: str) -> None:
    start = time.process_time()
    render(unit * (MARKDOWN_LIMIT // len(unit)))
    assert time.process_time() - start < 5


def test_words_and_direction() -> None:
    assert words("It's a well-known fact: 3.5 is more than 3.") == 10
    assert words("你好 world") == 3
    assert (direction("123 שלום abc"), direction("abc שלום"), direction("…")) == ("rtl", "ltr", "ltr")
