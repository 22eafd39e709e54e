"""Every word of the workbench is in every catalogue, with the placeholders of the original."""

import re
from pathlib import Path

import pytest
from django.utils import translation

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = [
    ROOT / "templates" / "annotate",
    ROOT / "templates" / "accounts",
    ROOT / "templates" / "account_menu.html",
]
SAID = re.compile(r"""\{% translate (?:"([^"]+)"|'([^']+)')""")
HOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|%s")


def entries(language: str) -> dict[str, list[str]]:
    """The catalogue's translations by original."""
    text = (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n")[1:]:
        original = re.search(r'^msgid "(.*)"$', block, re.MULTILINE)
        if original:
            found[original[1].replace('\\"', '"')] = re.findall(
                r'^msgstr(?:\[\d\])? "(.*)"$', block, re.MULTILINE
            )
    return found


def said_in_templates() -> set[str]:
    files = [file for place in TEMPLATES for file in ([place] if place.is_file() else place.rglob("*.html"))]
    return {one or other for file in files for one, other in SAID.findall(file.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("language", ["es", "zh_Hans", "ar"])
def test_catalogues_are_whole(language: str) -> None:
    catalogue = entries(language)
    assert said_in_templates() <= set(catalogue)
    for original, translated in catalogue.items():
        assert translated and all(translated), original
        if len(translated) == 1:
            assert sorted(HOLDER.findall(original)) == sorted(HOLDER.findall(translated[0])), original


@pytest.mark.parametrize(("language", "words"), [("es", "Enviar"), ("zh-hans", "提交"), ("ar", "إرسال")])
def test_catalogues_are_compiled(language: str, words: str) -> None:
    with translation.override(language):
        assert translation.gettext("Submit") == words
