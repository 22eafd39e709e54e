"""Lengths: of the prompt, of both responses, and the signed gap between them, as ranks over the dataset."""

import re

import numpy as np

from routing.features.base import Block, gap, per_text, share_below, standard, unit_scale
from routing.table import Floats, Table

WORD = re.compile(r"\w+")


def word_count(text: str) -> float:
    return float(len(WORD.findall(text)))


def length_gap(table: Table) -> Floats:
    """Second minus first, in words, as a signed rank in -1…1: the sign of the gap times its size's rank (n,)."""
    words = gap(table, per_text(table, "words", word_count))
    return np.sign(words) * share_below(np.abs(words))


def lengths(table: Table) -> Block:
    """The gap on log-words and as a signed rank; ranks of prompt, shorter and longer response."""
    logs = np.log1p(per_text(table, "words", word_count))
    prompts = np.array([word_count(text) for text in table.prompts])
    both = logs[table.pair]
    return Block(
        odd={"gap": unit_scale(gap(table, logs)), "gap_rank": length_gap(table)},
        even={
            "prompt": share_below(prompts[table.prompt]) - 0.5,
            "shorter": share_below(both.min(axis=1)) - 0.5,
            "longer": share_below(both.max(axis=1)) - 0.5,
            "apart": standard(np.abs(gap(table, logs))),
        },
    )
