"""Language: which one a text is written in, whether the prompt is English, and which response leaves the prompt's.

A language with a script of its own is known by its letters, one in Latin letters by its commonest words. That is enough
to see an answer in another language than the question; short texts and rarer languages stay unknown.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from routing.features.base import Block, gap, per_text, unit_scale
from routing.table import Floats, Table

WORD = re.compile(r"[^\W\d_]+")
LOOKED_AT = 2000  # characters of a text
LEAST_HITS = 2  # common words of a language that a text must hold …
LEAD = 1.5  # … and how many times as many as of the next one
UNKNOWN = ""

# Ranges of code points, and the language or group of languages whose letters they hold.
SCRIPTS = (
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0530, 0x058F, "armenian"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x077F, "arabic"),
    (0x0900, 0x097F, "devanagari"),
    (0x0980, 0x0DFF, "indic"),
    (0x0E00, 0x0E7F, "thai"),
    (0x10A0, 0x10FF, "georgian"),
    (0x3040, 0x30FF, "japanese"),
    (0x3400, 0x9FFF, "chinese"),
    (0xAC00, 0xD7AF, "korean"),
)
COMMON = {
    "english": "the of and to in is that for it with as was on are this be you not have from by what how which would",
    "spanish": "el la los las de que y en un una es por con para del se lo su como más pero este son qué está",
    "french": "le la les des et est dans un une que pour qui sur avec pas plus ce par vous nous sont au du cette être",
    "german": "der die das und ist nicht ein eine zu mit den von auf für sich auch dem wie als es wird sind ich oder",
    "italian": "il lo gli di che è e un una per con non del della sono nel più come questo anche alla dei si perché",
    "portuguese": "o os as de que e do da em um uma para com não por mais dos como se na no são ao é você",
    "dutch": "de het een en van is dat op te in voor met niet zijn er aan ook als om bij dit die wordt naar",
    "polish": "i w na z jest że nie do się to jak o dla są po przez który ale od czy może oraz tego",
    "swedish": "och att det i är en som på av för med den till inte om har ett de kan man var från eller",
    "turkish": "ve bir bu için ile de da çok olan olarak daha gibi ne var en kadar mi ise veya sonra",
    "indonesian": "yang dan di untuk dengan ini dari itu adalah pada tidak dalam akan ke atau juga oleh dapat anda",
    "vietnamese": "và là của có được cho trong các một những không với để này khi người đã từ như bạn",
}


def by_word(common: dict[str, str]) -> dict[str, list[str]]:
    """The languages that each word is common in."""
    found: dict[str, list[str]] = {}
    for language, words in common.items():
        for word in words.split():
            found.setdefault(word, []).append(language)
    return found


LANGUAGES_OF = by_word(COMMON)


def language_of(text: str) -> str:
    """The text's language, or its script's group of languages; `UNKNOWN` where nothing tells.

    >>> [language_of(text) for text in ("Wie ist das Wetter in Rom?", "What is the weather?", "你好", "42")]
    ['german', 'english', 'chinese', '']
    """
    text = text[:LOOKED_AT].lower()
    return (UNKNOWN if text.isascii() else by_script(text)) or commonest(WORD.findall(text))


def by_script(text: str) -> str:
    """The script of most letters; `UNKNOWN` where those are Latin."""
    counts = Counter(script_of(letter) for letter in text if letter.isalpha())
    latin = counts.pop(UNKNOWN, 0)
    if counts.total() <= latin:
        return UNKNOWN
    # Japanese writes with Chinese characters too, and is known by the rest.
    return "japanese" if "japanese" in counts else counts.most_common(1)[0][0]


def script_of(letter: str) -> str:
    point = ord(letter)
    return next((name for low, high, name in SCRIPTS if low <= point <= high), UNKNOWN)


def commonest(words: list[str]) -> str:
    """The language most of whose common words are among these."""
    hits = Counter(language for word in words for language in LANGUAGES_OF.get(word, ()))
    (name, best), (_, second) = [*hits.most_common(2), (UNKNOWN, 0), (UNKNOWN, 0)][:2]
    return name if best >= LEAST_HITS and best >= LEAD * second else UNKNOWN


def foreign_share(text: str) -> float:
    """The share of letters outside ASCII, 0 where there is no letter."""
    letters = [character for character in text if character.isalpha()]
    return sum(not character.isascii() for character in letters) / len(letters) if letters else 0.0


def english(text: str) -> bool:
    """Whether a text is English, or too short to tell and in ASCII letters mostly."""
    found = language_of(text)
    return found == "english" or (found == UNKNOWN and foreign_share(text) < 0.3)


def strays(table: Table) -> Floats:
    """Second minus first response of: 1 where it is in another language than its prompt (n,)."""
    asked = np.array([language_of(text) for text in table.prompts], dtype=object)[table.prompt]
    said = np.array([language_of(text) for text in table.responses], dtype=object)[table.pair]  # (n, 2)
    away = (said != asked[:, None]) & (said != UNKNOWN) & (asked != UNKNOWN)[:, None]
    return away[:, 1].astype(float) - away[:, 0]


def language(table: Table) -> Block:
    other = np.array([not english(text) for text in table.prompts], dtype=float)
    responses = per_text(table, "foreign", foreign_share)
    return Block(
        odd={"foreign": unit_scale(gap(table, responses)), "strays": strays(table)},
        even={"prompt_foreign": other[table.prompt]},
    )
