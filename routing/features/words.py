"""Texts as a few numbers each: leading dimensions of their words, and clusters of those."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer

from routing.table import Floats, Ints


class Space:
    """Latent semantic analysis: texts placed in at most `count` leading dimensions of their tf-idf."""

    def __init__(self, *, count: int) -> None:
        self.count = count
        self.reduced: TruncatedSVD | None = None

    def fit(self, texts: Sequence[str]) -> Floats:
        """The places of the texts that span the space (T, ≤count); no dimension where no word occurs in two of them."""
        self.words = TfidfVectorizer(
            sublinear_tf=True, min_df=2, max_features=20_000, token_pattern=r"(?u)\b\w+\b"
        )
        try:
            vectors = self.words.fit_transform(texts)
        except ValueError:
            return np.zeros((len(texts), 0))
        kept = min(self.count, min(vectors.shape) - 1)
        if kept < 1:
            return np.zeros((len(texts), 0))
        self.reduced = TruncatedSVD(kept, random_state=0).fit(vectors)
        return self.place(texts)

    def place(self, texts: Sequence[str]) -> Floats:
        """The places of further texts (T, ≤count)."""
        if self.reduced is None:
            return np.zeros((len(texts), 0))
        found: Floats = self.reduced.transform(self.words.transform(texts))
        return found


def dimensions(texts: Sequence[str], *, count: int) -> Floats:
    """At most `count` leading dimensions of the texts' tf-idf (T, ≤count)."""
    return Space(count=count).fit(texts)


def reduce(vectors: Floats, *, count: int) -> Floats:
    """The leading dimensions of vectors (T, d), as many as they carry."""
    kept = min(count, min(vectors.shape) - 1)
    if kept < 1:
        return np.zeros((vectors.shape[0], 0))
    reduced: Floats = TruncatedSVD(kept, random_state=0).fit_transform(vectors)
    return reduced


def learner() -> HistGradientBoostingRegressor:
    """Gradient boosting of regression trees, small and the same each time."""
    return HistGradientBoostingRegressor(
        max_iter=200, learning_rate=0.08, min_samples_leaf=8, early_stopping=False, random_state=0
    )


def clusters(vectors: Floats, *, count: int) -> Ints:
    """Which of `count` clusters each row belongs to (T,)."""
    found: Ints = KMeans(count, n_init=1, random_state=0).fit_predict(vectors)
    return found
