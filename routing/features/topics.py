"""What the prompt is about, in a few dimensions, and whether the judge is better or worse at it."""

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from routing.features.base import Block, standard
from routing.table import Floats, Table

DIMENSIONS = 6
LEAST_PROMPTS = 20  # fewer say nothing about topics


def prompt_dimensions(table: Table) -> Floats:
    """Leading dimensions of the prompts (P, ≤6): of their embeddings where there are any, else of their words."""
    if len(table.prompts) < LEAST_PROMPTS:
        return np.zeros((len(table.prompts), 0))
    if table.embeddings is not None:
        vectors = table.embeddings.prompts - table.embeddings.prompts.mean(axis=0)
    else:
        words = TfidfVectorizer(
            sublinear_tf=True, min_df=2, max_features=20_000, token_pattern=r"(?u)\b\w+\b"
        )
        try:
            vectors = words.fit_transform(table.prompts)
        except ValueError:  # no word occurs twice
            return np.zeros((len(table.prompts), 0))
    if min(vectors.shape) <= DIMENSIONS:
        return np.zeros((len(table.prompts), 0))
    reduced: Floats = TruncatedSVD(DIMENSIONS, random_state=0).fit_transform(vectors)
    return reduced


def topics(table: Table) -> Block:
    dimensions = prompt_dimensions(table)
    columns = [standard(dimensions[:, place])[table.prompt] for place in range(dimensions.shape[1])]
    return Block(
        odd={f"standing_{place}": table.ai * column for place, column in enumerate(columns)},
        even={f"topic_{place}": column for place, column in enumerate(columns)},
    )
