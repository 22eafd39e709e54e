"""Performance prediction models (PPM): from the tag counts of a mix to the accuracy of its reward model.

Miranda et al. 2024 (arXiv 2410.19133) compare linear and quadratic least squares and LightGBM, and take the
quadratic one. `ridge` is the quadratic one with standardised columns and a penalty.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np

from routing.table import Floats
from web.registry import Registry

PREDICTORS = Registry(
    "performance predictor",
    {
        "linear": "routing.predictors:Linear",
        "quadratic": "routing.predictors:Quadratic",
        "boosted": "routing.boosting:Boosted",
        "ridge": "routing.predictors:Ridge",
    },
)
PENALTIES = np.logspace(-1, 4, 11)
NOT_SINGULAR = 1e-9  # relative size below which an eigenvalue is none


class Predictor(ABC):
    """`fit` takes features (C, T) and accuracies (C,)."""

    @abstractmethod
    def fit(self, features: Floats, accuracy: Floats) -> Self: ...

    @abstractmethod
    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean and deviation at features (M, T): (M,), (M,)."""


class Kernel(Predictor):
    """Least squares through inner products, so that thousands of columns cost no more than the rows.

    Learned: centre_, scale_ (T,), rows_ (C, T), dual_ (C,), inverse_ (C, C), noise_, level_. `penalty_` is the variance
    of one more observation beyond the function's own, in units of noise_: 0 without a penalty.
    """

    penalty_: float = 0.0

    @staticmethod
    def lifted(products: Floats) -> Floats:
        """Inner products over all columns, their squares and products, from those over the columns."""
        return products + products**2

    def inner(self, a: Floats, b: Floats) -> Floats:
        """(M, T), (C, T) to (M, C), scaled to the width."""
        return self.lifted(a @ b.T / a.shape[1])

    def fit(self, features: Floats, accuracy: Floats) -> Self:
        self.centre_, self.level_ = features.mean(axis=0), float(accuracy.mean())
        self.scale_ = self.scale(features)
        self.rows_ = self.standard(features)
        self.inverse_ = self.invert(self.inner(self.rows_, self.rows_), accuracy - self.level_)
        self.dual_ = self.inverse_ @ (accuracy - self.level_)
        self.noise_ = self.noise(accuracy - self.level_)
        return self

    def scale(self, features: Floats) -> Floats:
        """One scale for all columns (T,): raw counts, as published."""
        return np.full(features.shape[1], max(float(features.std()), 1e-9))

    def standard(self, features: Floats) -> Floats:
        rows: Floats = (features - self.centre_) / self.scale_
        return rows

    def invert(self, kernel: Floats, y: Floats) -> Floats:
        """Unregularised; with more columns than rows, the solution of least norm."""
        return np.linalg.pinv(kernel, rcond=NOT_SINGULAR, hermitian=True)

    def noise(self, y: Floats) -> float:
        return float(y.var())

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        here = self.standard(features)
        kernel = self.inner(here, self.rows_)
        own = self.lifted((here**2).sum(axis=1) / here.shape[1])
        spread = np.einsum("cn,nm,cm->c", kernel, self.inverse_, kernel, optimize=True)
        return self.level_ + kernel @ self.dual_, np.sqrt(
            (np.maximum(own - spread, 0) + self.penalty_) * self.noise_
        )


class Linear(Kernel):
    """Least squares on the counts."""

    @staticmethod
    def lifted(products: Floats) -> Floats:
        return products


class Quadratic(Kernel):
    """Least squares on the counts, their squares and products: the published choice."""


class Ridge(Kernel):
    """Ridge on standardised columns and their products, its penalty by leave-one-out error.

    Its deviation is that of a new mix's accuracy (the predictive distribution of the Gaussian process that ridge is).
    """

    def scale(self, features: Floats) -> Floats:
        return np.maximum(features.std(axis=0), 1e-6)

    def invert(self, kernel: Floats, y: Floats) -> Floats:
        values, vectors = np.linalg.eigh(kernel)
        errors = [left_out_error(values, vectors, y, penalty) for penalty in PENALTIES]
        self.penalty_ = float(PENALTIES[int(np.argmin(errors))])
        inverse: Floats = (vectors / (values + self.penalty_)) @ vectors.T
        return inverse

    def noise(self, y: Floats) -> float:
        return float(y @ self.inverse_ @ y) / len(y)


def left_out_error(values: Floats, vectors: Floats, y: Floats, penalty: float) -> float:
    """Mean squared leave-one-out error of kernel ridge from the kernel's eigenvectors."""
    inverse = (vectors / (values + penalty)) @ vectors.T
    return float(np.mean((inverse @ y / np.diag(inverse)) ** 2))
