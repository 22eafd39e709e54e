"""The form of the responses: lists, code, tables, mathematics, emphasis, digits, refusals, repetition."""

import re
from functools import partial

import numpy as np

from routing.features.base import Block, gap, per_text, unit_scale
from routing.table import Table

SIGNS = {
    "lists": re.compile(r"^\s*(?:[-*•]|\d+[.)])\s", re.M),
    "code": re.compile(r"```|^ {4,}\S", re.M),
    "tables": re.compile(r"^\s*\|.*\||^[^\t\n]+\t[^\t\n]+|<tr\b", re.M),
    "mathematics": re.compile(
        r"\$\$|\\[(\[]|\\(?:begin|frac|sqrt|sum|int|cdot|times|leq|geq|approx|infty)\b"
        r"|\$[^$\n]{0,200}[\\^_={}][^$\n]{0,200}\$"  # between dollars; a price is none
        r"|[\w)\]]\s*[=<>≤≥≈^+×÷]\s*-?[\d(]|[∑∫√∞±∂∇]"
    ),
    "emphasis": re.compile(r"\*\*|^#{1,6}\s", re.M),
    "digits": re.compile(r"\d+"),
    "lines": re.compile(r"\n"),
    "refusals": re.compile(r"\b(?:sorry|cannot|can't|unable|as an ai)\b", re.I),
    "empty": re.compile(r"\A\s*\Z"),
}
TOKEN = re.compile(r"\w+|[^\w\s]")


def occurrences(sign: re.Pattern[str], text: str) -> float:
    return float(len(sign.findall(text)))


def repetition(text: str) -> float:
    """The share of three-token sequences that occurred before: loops of a weak model come near 1."""
    words = TOKEN.findall(text.lower())
    grams = list(zip(words, words[1:], words[2:], strict=False))
    return 1.0 - len(set(grams)) / len(grams) if grams else 0.0


def form(table: Table) -> Block:
    counts = {
        name: np.log1p(per_text(table, name, partial(occurrences, sign))) for name, sign in SIGNS.items()
    }
    counts["repetition"] = per_text(table, "repetition", repetition)
    return Block(odd={name: unit_scale(gap(table, values)) for name, values in counts.items()})
