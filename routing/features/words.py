"""Texts as a few numbers each: leading dimensions of their words, and clusters of those."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from routing.table import Floats, Ints


def dimensions(texts: Sequence[str], *, count: int) -> Floats:
    """Latent semantic analysis: at most `count` leading dimensions of the texts' tf-idf (T, ≤count)."""
    words = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=20_000, token_pattern=r"(?u)\b\w+\b")
    try:
        vectors = words.fit_transform(texts)
    except ValueError:  # no word occurs in two texts
        return np.zeros((len(texts), 0))
    return reduce(vectors, count=count)


def reduce(vectors: Floats, *, count: int) -> Floats:
    """The leading dimensions of vectors (T, d), as many as they carry."""
    kept = min(count, min(vectors.shape) - 1)
    if kept < 1:
        return np.zeros((vectors.shape[0], 0))
    reduced: Floats = TruncatedSVD(kept, random_state=0).fit_transform(vectors)
    return reduced


def clusters(vectors: Floats, *, count: int) -> Ints:
    """Which of `count` clusters each row belongs to (T,)."""
    found: Ints = KMeans(count, n_init=1, random_state=0).fit_predict(vectors)
    return found
