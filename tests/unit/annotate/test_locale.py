"""Every word of the workbench is in every catalogue, with the placeholders of the original."""

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = [
    ROOT / "templates" / "annotate",
    ROOT / "templates" / "accounts",
    ROOT / "templates" / "account_menu.html",
    *(
        (ROOT / "templates" / "dashboard" / f"{name}.html")
        for name in ("distribution", "flags", "_flag", "_notice")
    ),
]
MODULES = [
    ROOT / "annotate",
    ROOT / "accounts",
    *(ROOT / "dashboard" / name for name in ("distribution.py", "views/distribution.py", "views/flags.py")),
]
SAID = re.compile(r"""\{% translate (?:"([^"]+)"|'([^']+)')""")
BLOCK = re.compile(r"\{% blocktranslate.*?%\}(.*?)(?:\{% plural %\}.*?)?\{% endblocktranslate %\}", re.DOTALL)
CALLS = {"_", "_t", "gettext", "gettext_lazy", "gettext_noop"}
HOLDER = re.compile(r"%\(\w+\)s|\{\w+\}|%s")


def entries(language: str) -> dict[str, list[str]]:
    """The catalogue's translations by original."""
    text = (ROOT / "locale" / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n")[1:]:
        original = re.search(r'^msgid "(.*)"$', block, re.MULTILINE)
        if original:
            found[original[1].replace('\\"', '"').replace("\\n", "\n")] = re.findall(
                r'^msgstr(?:\[\d\])? "(.*)"$', block, re.MULTILINE
            )
    return found


def files(places: list[Path], pattern: str) -> list[str]:
    found = [file for place in places for file in ([place] if place.is_file() else place.rglob(pattern))]
    return [file.read_text(encoding="utf-8") for file in found]


def said_in_templates() -> set[str]:
    texts = files(TEMPLATES, "*.html")
    blocks = {re.sub(r"\{\{ (\w+) \}\}", r"%(\1)s", each) for text in texts for each in BLOCK.findall(text)}
    return blocks | {one or other for text in texts for one, other in SAID.findall(text)}


def said_in_modules() -> set[str]:
    """The first argument of every call of gettext."""
    calls = [
        node
        for text in files(MODULES, "*.py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    ]
    named = [
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id in CALLS and call.args
    ]
    return {call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)}


@pytest.mark.parametrize("language", ["es", "zh_Hans", "ar"])
def test_catalogues_are_whole(language: str) -> None:
    catalogue = entries(language)
    assert said_in_templates() - set(catalogue) == set()
    assert said_in_modules() - set(catalogue) == set()
    for original, translated in catalogue.items():
        assert translated and all(translated), original
        if len(translated) == 1:
            assert sorted(HOLDER.findall(original)) == sorted(HOLDER.findall(translated[0])), original


@pytest.mark.parametrize(("language", "words"), [("es", "Enviar"), ("zh-hans", "提交"), ("ar", "إرسال")])
def test_catalogues_are_compiled(language: str, words: str) -> None:
    with translation.override(language):
        assert translation.gettext("Submit") == words
