"""Language: whether the prompt is written in ASCII letters, and which response leaves that script."""

import numpy as np

from routing.features.base import Block, gap, per_text, unit_scale
from routing.table import Table


def foreign_share(text: str) -> float:
    """The share of letters outside ASCII, 0 where there is no letter."""
    letters = [character for character in text if character.isalpha()]
    return sum(not character.isascii() for character in letters) / len(letters) if letters else 0.0


def language(table: Table) -> Block:
    prompts = np.array([foreign_share(text) for text in table.prompts])
    responses = per_text(table, "foreign", foreign_share)
    return Block(
        odd={"foreign": unit_scale(gap(table, responses))},
        even={"prompt_foreign": (prompts[table.prompt] > 0.3).astype(float)},
    )
