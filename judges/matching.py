"""How well two texts match token by token: BERTScore (Zhang et al. 2020, arXiv 1904.09675, section 3).

With token states of unit length, x_i (S of them) of the first text and y_j (T) of the second, each token is matched
greedily to the most similar one of the other text:

    P = 1/T Σ_j max_i x_i·y_j        R = 1/S Σ_i max_j x_i·y_j        F1 = 2 P R / (P + R)

The first text is the reference: swapping the texts swaps P and R and leaves F1. Tokens weigh the same (no idf: it
would make a pair's score depend on the other pairs), and scores are not rescaled.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats32 = NDArray[np.float32]


def greedy_matching(first: Floats32, second: Floats32) -> tuple[float, float, float]:
    """Precision, recall and F1 of states (S, D) and (T, D), each row of unit length.

    Two texts without a token are the same text, 1; a text with tokens and one without share nothing, 0.
    """
    if not len(first) or not len(second):
        same = float(len(first) == len(second))
        return same, same, same
    similar = first @ second.T  # (S, T)
    precision, recall = float(similar.max(axis=0).mean()), float(similar.max(axis=1).mean())
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total > 0 else 0.0
