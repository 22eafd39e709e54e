"""Small synthetic projects with a known truth: responses have qualities, judges and people see them with noise."""

import numpy as np

from routing.table import People, Table


def make_table(
    *,
    prompts: int = 12,
    models: int = 4,
    judges: int = 2,
    noise: float = 1.0,
    seed: int = 0,
    graded: bool = False,
) -> tuple[Table, People]:
    """Every pair of `models` responses to each prompt, judged by `judges` and by three people a pair."""
    rng = np.random.default_rng(seed)
    pairs = [
        (p * models + a, p * models + b)
        for p in range(prompts)
        for a in range(models)
        for b in range(a + 1, models)
    ]
    pair = np.array(pairs)
    quality = rng.normal(size=prompts * models) + np.tile(np.linspace(-1, 1, models), prompts)
    words = ["sun", "rain", "code", "song", "tree", "river", "number", "list", "\n- one", "1.", "why", "Rome"]
    texts = tuple(
        " ".join(rng.choice(words, size=rng.integers(3, 30))) + f" {row}" for row in range(len(quality))
    )
    size = len(pair)
    table = Table(
        ids=tuple(f"i{row}" for row in range(size)),
        prompts=tuple(
            f"Question {p} about {rng.choice(words)} and {rng.choice(words)}" for p in range(prompts)
        ),
        responses=texts,
        models=tuple(f"m{m}" for m in range(models)),
        prompt=pair[:, 0] // models,
        pair=pair,
        model_of=np.tile(np.arange(models), prompts),
        judges=tuple(f"j{j}" for j in range(judges)),
        verdict=np.array([says(quality, pair, noise, rng) for _ in range(judges)], dtype=float).reshape(
            -1, size
        ),
        probability=np.full((judges, size), np.nan),
        consistent=np.full((judges, size), np.nan),
        standing=0,
        price=np.ones(size),
        instances=tuple(range(100, 100 + size)),
        owner=np.arange(size),
        graded=graded,
    )
    return table, make_people(quality, pair, noise / 2, rng, graded=graded)


def says(quality: np.ndarray, pair: np.ndarray, noise: float, rng: np.random.Generator) -> np.ndarray:
    gap = quality[pair[:, 1]] - quality[pair[:, 0]] + rng.normal(scale=noise, size=len(pair))
    return np.where(np.abs(gap) < 0.3, 0, np.sign(gap)).astype(int)


def make_people(
    quality: np.ndarray, pair: np.ndarray, noise: float, rng: np.random.Generator, *, graded: bool
) -> People:
    size, raters = len(pair), 3
    verdict = np.concatenate([says(quality, pair, noise, rng) for _ in range(raters)])
    scores = np.stack([np.where(verdict < 0, 4.0, 2.0), np.where(verdict > 0, 4.0, 2.0)], axis=1)
    return People(
        pair=np.tile(np.arange(size), raters),
        rater=np.repeat(np.arange(raters), size),
        verdict=verdict,
        scores=scores if graded else np.full((size * raters, 2), np.nan),
        names=tuple(f"p{rater}" for rater in range(raters)),
    )
