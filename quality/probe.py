"""The probe reward model: a Bradley-Terry head over frozen representations, cross-fitted by prompt.

The head is linear in φ(x, y1) - φ(x, y0), so that P(1 preferred) = σ(w·[φ(x, y1) - φ(x, y0)]): Bradley and
Terry 1952, with features as in Christiano et al. 2017. φ holds the response's representation, its product
with the prompt's (so that what counts as good may depend on the prompt) and length and style terms. The
ridge penalty is a Gaussian prior, so the curvature at the optimum gives each score a spread (Laplace;
MacKay 1992).

It never certifies itself: `cross_fit` scores every row by a head that saw no label of the row's prompt.
Shapes: N pairs, D features, R directions kept.
"""

from dataclasses import dataclass

import numpy as np

from quality.calibration import fold_of
from quality.logistic import sigmoid
from quality.problems import NotConverged
from quality.verdicts import Floats, Ints

RANK = 400  # principal directions kept: more cost time and gained nothing on the sets in bench/judges.md
RIDGES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
STEPS, TOLERANCE = 60, 1e-7
LEAST_ROWS = 20  # labelled rows below which there is nothing to learn


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A fitted head: `basis` (D, R) turns scaled features into directions, `weights` (R,) score them."""

    basis: Floats
    weights: Floats
    covariance: Floats  # (R, R)
    ridge: float
    n: int

    def log_odds(self, differences: Floats) -> Floats:
        """log P(1 preferred) / P(0 preferred) of each row, (N,)."""
        return np.asarray(differences @ (self.basis @ self.weights))

    def spread(self, differences: Floats) -> Floats:
        """The standard deviation of each row's log-odds, (N,)."""
        z = differences @ self.basis
        return np.sqrt(np.einsum("nr,rs,ns->n", z, self.covariance, z))

    def utilities(self, features: Floats) -> Floats:
        """Scores of single responses in log-odds units, (N,), comparable within a prompt."""
        return self.log_odds(features)


@dataclass(frozen=True, slots=True, eq=False)
class CrossFit:
    """Each row scored by the head that saw no label of its prompt. `fold` (N,) says which."""

    log_odds: Floats
    spread: Floats
    fold: Ints
    heads: tuple[Head, ...]

    @property
    def probability(self) -> Floats:
        """P(1 preferred) (N,), the spread integrated out: σ(z / sqrt(1 + π s² / 8)), MacKay 1992."""
        return sigmoid(self.log_odds / np.sqrt(1 + np.pi / 8 * self.spread**2))


# ---------------------------------------------------------------- features


def features(*, prompts: Floats, responses: Floats, style: Floats) -> Floats:
    """φ(x, y): representation, prompt interaction and style of each response, (N, 2E + S).

    prompts, responses: (N, E) rows of unit length or the like; style: (N, S). Each block is brought to mean
    square 1 in all, so that none drowns another by its size alone.
    """
    blocks = [responses, prompts * responses * np.sqrt(responses.shape[1]), style]
    return np.concatenate([np.asarray(block, dtype=float) for block in blocks], axis=1)


def differences(first: Floats, second: Floats) -> Floats:
    """φ(x, y1) - φ(x, y0), (N, D)."""
    return second - first


def scale_of(rows: Floats, widths: tuple[int, ...]) -> Floats:
    """What each column is divided by: its block's root of summed mean squares, for style columns their own,
    (D,).

    `widths` are the blocks' widths in order; the last is the style block, whose columns stand alone.
    """
    squares = np.mean(rows**2, axis=0)
    ends = np.cumsum(widths)
    sizes = [np.full(w, np.sqrt(squares[e - w : e].sum())) for w, e in zip(widths[:-1], ends[:-1])]
    sizes.append(np.sqrt(squares[ends[-1] - widths[-1] :]))
    return np.maximum(np.concatenate(sizes), 1e-9)


# ---------------------------------------------------------------- fitting


def fit(rows: Floats, targets: Floats, *, groups: Ints, widths: tuple[int, ...], seed: int = 0) -> Head:
    """The head for rows (N, D) with targets (N,) in 0…1 (a tie is 0.5), its ridge chosen by grouped folds.

    `groups` are the rows' prompts: a ridge is judged on prompts that it did not see. Raises `NotConverged`.
    """
    basis = principal(rows, scale_of(rows, widths))
    z = rows @ basis
    ridge = choose_ridge(z, targets, groups=groups, seed=seed)
    weights, hessian = newton(z, targets, ridge)
    return Head(basis, weights, np.linalg.inv(hessian), ridge, len(z))


def principal(rows: Floats, scale: Floats) -> Floats:
    """The scaling and the first `RANK` right singular vectors in one matrix (D, R).

    The ridge solution lies in the rows' span, so with fewer than RANK rows nothing is lost.
    """
    _, singular, right = np.linalg.svd(rows / scale, full_matrices=False)
    kept = right[: min(RANK, int((singular > 1e-8 * singular[0]).sum()) or 1)]
    return kept.T / scale[:, None]


def newton(z: Floats, targets: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Minimises Σ log(1 + e^zw) - y zw + ridge |w|² / 2; the weights (R,) and the Hessian there (R, R)."""
    weights = np.zeros(z.shape[1])
    penalty = ridge * np.eye(z.shape[1])
    change = np.inf
    for _ in range(STEPS):
        p = sigmoid(z @ weights)
        hessian = (z * (p * (1 - p))[:, None]).T @ z + penalty
        step = np.linalg.solve(hessian, z.T @ (targets - p) - ridge * weights)
        step /= max(1.0, float(np.abs(z @ step).max()) / 4)  # a long step can overshoot
        weights = weights + step
        change = float(np.abs(step).max())
        if change < TOLERANCE:
            return weights, hessian
    raise NotConverged("The probe's head", steps=STEPS, change=change, tolerance=TOLERANCE)


def choose_ridge(z: Floats, targets: Floats, *, groups: Ints, seed: int, folds: int = 3) -> float:
    """The ridge of `RIDGES` with the least log-loss on prompts left out."""
    fold = fold_of(groups, folds=folds, seed=seed)
    if len(np.unique(fold)) < 2:
        return RIDGES[len(RIDGES) // 2]
    losses = [_left_out_loss(z, targets, fold, ridge) for ridge in RIDGES]
    return RIDGES[int(np.argmin(losses))]


def _left_out_loss(z: Floats, targets: Floats, fold: Ints, ridge: float) -> float:
    total = 0.0
    for k in np.unique(fold):
        weights, _ = newton(z[fold != k], targets[fold != k], ridge)
        scores = z[fold == k] @ weights
        total += float(np.sum(np.logaddexp(0, scores) - targets[fold == k] * scores))
    return total


# ---------------------------------------------------------------- cross-fitting


def cross_fit(
    rows: Floats, targets: Floats, *, groups: Ints, widths: tuple[int, ...], folds: int = 5, seed: int = 0
) -> CrossFit:
    """Scores of all rows, labelled or not, each by a head fitted without any label of the row's prompt.

    targets: (N,), NaN where a row has no label. Whole prompts go to one fold; head k learns from the
    labelled rows of the other folds and scores fold k.
    """
    fold = fold_of(groups, folds=folds, seed=seed)
    labelled = ~np.isnan(targets)
    odds, spread = np.zeros(len(rows)), np.zeros(len(rows))
    heads = []
    for k in range(folds):
        learn, score = labelled & (fold != k), fold == k
        head = fit(rows[learn], targets[learn], groups=groups[learn], widths=widths, seed=seed)
        odds[score], spread[score] = head.log_odds(rows[score]), head.spread(rows[score])
        heads.append(head)
    return CrossFit(odds, spread, fold, tuple(heads))
