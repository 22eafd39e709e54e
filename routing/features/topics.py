"""What the prompt is about, in a few dimensions, and whether the judge is better or worse at it."""

import numpy as np

from routing.features import TEXTS
from routing.features.base import Block, standard
from routing.table import Floats, Table

DIMENSIONS = 6
LEAST_PROMPTS = 20  # fewer say nothing about topics


def prompt_dimensions(table: Table) -> Floats:
    """Leading dimensions of the prompts (P, ≤6): of their embeddings where there are any, else of their words."""
    if "prompt_dimensions" not in table.cache:
        table.cache["prompt_dimensions"] = find_dimensions(table)
    found = table.cache["prompt_dimensions"]
    assert isinstance(found, np.ndarray)
    return found


def find_dimensions(table: Table) -> Floats:
    if len(table.prompts) < LEAST_PROMPTS:
        return np.zeros((len(table.prompts), 0))
    if table.embeddings is None:
        table.cache["prompt_space"] = space = TEXTS.load("space")(count=DIMENSIONS)
        found: Floats = space.fit(table.prompts)
    else:
        centred = table.embeddings.prompts - table.embeddings.prompts.mean(axis=0)
        found = TEXTS.load("reduce")(centred, count=DIMENSIONS)
    return found if found.shape[1] == DIMENSIONS else found[:, :0]


def topics(table: Table) -> Block:
    dimensions = prompt_dimensions(table)
    columns = [standard(dimensions[:, place])[table.prompt] for place in range(dimensions.shape[1])]
    return Block(
        odd={f"standing_{place}": table.ai * column for place, column in enumerate(columns)},
        even={f"topic_{place}": column for place, column in enumerate(columns)},
    )
