"""The probe reward model: a Bradley-Terry head over frozen representations, cross-fitted by prompt.

The head is linear in φ(x, y1) - φ(x, y0), so that P(1 preferred) = σ(w·[φ(x, y1) - φ(x, y0)]): Bradley and
Terry 1952, with features as in Christiano et al. 2017. φ holds the response's representation, its product
with the prompt's (so that what counts as good may depend on the prompt) and length and style terms. The
ridge penalties are Gaussian priors, so the curvature at the optimum gives each score a spread (Laplace;
MacKay 1992).

Each part has a prior of its own. Length is all but free, since that the longer (or the shorter) wins is the
baseline that every judge must beat; the other style terms lie under a weak prior; the representations' ridge
is chosen, on prompts left out, along a path of models that begins with length alone, goes on to length and
style, and lets in the representations step by step. Where they say nothing, the head is the baseline.

It never certifies itself: `cross_fit` scores every row by a head that saw no label of the row's prompt.
Shapes: N pairs, D features, R directions kept, S style columns.
"""

from dataclasses import dataclass

import numpy as np

from quality.calibration import fold_of
from quality.logistic import sigmoid
from quality.problems import NotConverged
from quality.verdicts import Floats, Ints

RANK = 128  # principal directions of the representations that are kept: bench/probe.md
RIDGES = (
    100.0,
    30.0,
    10.0,
    3.0,
    1.0,
    0.3,
    0.1,
)  # on representations whose blocks have variance 1, strongest first
LENGTH_RIDGE, STYLE_RIDGE = 0.01, 0.5  # on columns of mean square 1: standard deviations of 10 and 1.4
STEPS, TOLERANCE = 60, 1e-7
ROUGH = 1e-4  # how near the optimum models are compared
LEAST_ROWS = 20  # labelled rows below which there is nothing to learn


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A fitted head: `basis` (D, R) turns features into directions, `weights` (R,) score them.

    `ridge` is that of the representations, infinite where they were left out.
    """

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


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A step of the path: the first columns of the directions that it uses, each with its ridge (C,)."""

    ridges: Floats
    ridge: float

    def __len__(self) -> int:
        return len(self.ridges)


def fit(rows: Floats, targets: Floats, *, groups: Ints, widths: tuple[int, ...], seed: int = 0) -> Head:
    """The head for rows (N, D) with targets (N,) in 0…1 (a tie is 0.5), its model chosen by grouped folds.

    `widths` are the blocks' widths, the style block last, length its first column. `groups` are the rows'
    prompts: a model is judged on prompts that it did not see. Raises `NotConverged`.
    """
    basis = directions(rows, widths)
    z = rows @ basis
    model = choose(z, targets, path(widths[-1], z.shape[1]), groups=groups, seed=seed)
    used = len(model)
    weights, hessian = newton(z[:, :used], targets, model.ridges)
    return Head(basis[:, :used], weights, np.linalg.inv(hessian), model.ridge, len(z))


def directions(rows: Floats, widths: tuple[int, ...]) -> Floats:
    """A matrix (D, S + R): the scaled style columns as they are, then the principal directions of the rest."""
    scale, style = scale_of(rows, widths), widths[-1]
    split = rows.shape[1] - style
    kept = principal(rows[:, :split] / scale[:split])
    basis = np.zeros((rows.shape[1], style + kept.shape[1]))
    basis[split:, :style] = np.diag(1 / scale[split:])
    basis[:split, style:] = kept / scale[:split, None]
    return basis


def principal(rows: Floats) -> Floats:
    """The first `RANK` right singular vectors of rows (N, E), as columns, by the smaller Gram matrix."""
    n, wide = rows.shape
    if not wide:
        return np.zeros((0, 0))
    values, vectors = np.linalg.eigh(rows @ rows.T if n < wide else rows.T @ rows)
    kept = np.argsort(values)[::-1][:RANK]
    kept = kept[values[kept] > 1e-10 * max(values[kept[0]], 1e-300)]
    return np.asarray(rows.T @ (vectors[:, kept] / np.sqrt(values[kept])) if n < wide else vectors[:, kept])


def path(style: int, columns: int) -> list[Model]:
    """Models from the simplest: length, length and style, then the representations under weaker ridges."""
    apart = np.full(style, STYLE_RIDGE)
    apart[:1] = LENGTH_RIDGE
    steps = [Model(apart[:used], np.inf) for used in sorted({min(style, 1), style} - {0})]
    rest = columns - style
    return steps + [Model(np.concatenate([apart, np.full(rest, r)]), r) for r in RIDGES if rest]


def newton(
    z: Floats,
    targets: Floats,
    ridge: float | Floats,
    *,
    start: Floats | None = None,
    tolerance: float = TOLERANCE,
) -> tuple[Floats, Floats]:
    """Minimises Σ log(1 + e^zw) - y zw + Σ ridge w² / 2; the weights (R,) and the Hessian there (R, R)."""
    weights = np.zeros(z.shape[1]) if start is None else start
    ridges = np.broadcast_to(ridge, z.shape[1:])
    change = np.inf
    for _ in range(STEPS):
        p = sigmoid(z @ weights)
        hessian = (z * (p * (1 - p))[:, None]).T @ z + np.diag(ridges)
        step = np.linalg.solve(hessian, z.T @ (targets - p) - ridges * weights)
        step /= max(1.0, float(np.abs(z @ step).max()) / 4)  # a long step can overshoot
        weights = weights + step
        change = float(np.abs(step).max())
        if change < tolerance:
            return weights, hessian
    raise NotConverged("The probe's head", steps=STEPS, change=change, tolerance=tolerance)


def choose(
    z: Floats, targets: Floats, models: list[Model], *, groups: Ints, seed: int, folds: int = 5
) -> Model:
    """The model with the least log-loss on prompts left out; the simplest where there is but one prompt."""
    fold = fold_of(groups, folds=folds, seed=seed)
    if len(np.unique(fold)) < 2:
        return models[0]
    losses = sum(
        _losses(z[fold != k], targets[fold != k], z[fold == k], targets[fold == k], models)
        for k in np.unique(fold)
    )
    return models[int(np.argmin(losses))]


def _losses(learn: Floats, y: Floats, held: Floats, held_y: Floats, models: list[Model]) -> Floats:
    """Each model's summed log-loss on the held-out rows, (M,); each begins where the one before it ended."""
    losses, weights = [], np.zeros(0)
    for model in models:
        used = len(model)
        start = np.concatenate([weights, np.zeros(used - len(weights))])
        weights, _ = newton(learn[:, :used], y, model.ridges, start=start, tolerance=ROUGH)
        scores = held[:, :used] @ weights
        losses.append(float(np.sum(np.logaddexp(0, scores) - held_y * scores)))
    return np.array(losses)


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
