"""The gradient-boosted performance predictor, apart because scikit-learn takes a second to import."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import cross_val_predict

from routing.predictors import Predictor
from routing.table import Floats

FOLDS = 5


class Boosted(Predictor):
    """Gradient-boosted trees as in the reference: rate 0.1, 31 leaves, 100 rounds. Learned: trees_, noise_.

    Its deviation is that of held-out errors, the same everywhere.
    """

    def fit(self, features: Floats, accuracy: Floats) -> Self:
        trees = HistGradientBoostingRegressor(learning_rate=0.1, max_leaf_nodes=31, random_state=0)
        held_out = cross_val_predict(trees, features, accuracy, cv=min(FOLDS, len(accuracy)))
        self.noise_ = float(np.std(accuracy - held_out))
        self.trees_ = trees.fit(features, accuracy)
        return self

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        return self.trees_.predict(features), np.full(len(features), self.noise_)
