"""Whole worlds with a known truth: responses have qualities, people and judges see them with noise of their own."""

from dataclasses import dataclass

import numpy as np

from routing.table import Floats, Ints, People, Table

MODELS = 6
TOPICS = ("history", "cooking", "python", "travel", "physics")
BAD_TOPIC = 2
WORDS = tuple(f"w{row}" for row in range(400))
TIE = 0.4  # closer than this nobody sees a difference


@dataclass(frozen=True)
class Judge:
    """How a judge sees the gap of two qualities: noise, and a bias to the longer and to the second response."""

    noise: float = 1.0
    length: float = 0.0
    position: float = 0.0


@dataclass(frozen=True)
class Sown:
    """A world instead of the one that it is given: see `bench/replay_unseen.py`.

    Each prompt has `shared` responses and all pairs of them: with two, nothing is shared. `own` is what a pair adds to
    its responses' qualities. `bad_topic`: on one topic in five the first judge knows next to nothing.
    """

    pairs: int = 600
    shared: int = 2
    noise: float = 1.0
    people: int = 3
    judges: tuple[Judge, ...] = (Judge(),)
    bad_topic: bool = False
    named: bool = True
    own: float = 0.0

    def __call__(self, table: Table, people: People, rng: np.random.Generator) -> tuple[Table, People]:
        prompts = self.pairs * 2 // (self.shared * (self.shared - 1))
        model = np.concatenate([rng.permutation(MODELS)[: self.shared] for _ in range(prompts)])
        quality = rng.normal(scale=0.8, size=len(model)) + np.linspace(-1, 1, MODELS)[model]
        pair = self.paired(prompts, rng)
        gap = quality[pair[:, 1]] - quality[pair[:, 0]] + self.own * rng.normal(size=len(pair))
        words = np.exp(rng.normal(4, 0.5, size=len(model))).astype(int) + 3
        topic = rng.integers(len(TOPICS), size=prompts)
        longer = np.log(words[pair[:, 1]] / words[pair[:, 0]])
        noise = np.array([[judge.noise] * len(pair) for judge in self.judges])
        if self.bad_topic:
            noise[0, topic[pair[:, 0] // self.shared] == BAD_TOPIC] = 6.0
        lean = [gap + judge.length * longer + judge.position for judge in self.judges]
        verdict = np.array([seen(row, spread, rng) for row, spread in zip(lean, noise, strict=True)])
        silent = np.full(verdict.shape, np.nan)
        labels = [seen(gap, self.noise, rng).astype(np.int64) for _ in range(self.people)]
        sown = Table(
            ids=tuple(f"i{row}" for row in range(len(pair))),
            prompts=tuple(
                f"A question about {TOPICS[row]} and {' '.join(rng.choice(WORDS, 6))}" for row in topic
            ),
            responses=tuple(f"{' '.join(rng.choice(WORDS, count))} {row}" for row, count in enumerate(words)),
            models=tuple(f"m{row}" for row in range(MODELS)) if self.named else (),
            prompt=pair[:, 0] // self.shared,
            pair=pair,
            model_of=model if self.named else np.full_like(model, -1),
            judges=tuple(f"j{row}" for row in range(len(verdict))),
            verdict=verdict,
            probability=silent,
            consistent=silent,
            standing=0,
            price=np.ones(len(pair)),
            instances=tuple(range(len(pair))),
            owner=np.arange(len(pair)),
        )
        return sown, asked(labels)

    def paired(self, prompts: int, rng: np.random.Generator) -> Ints:
        """Every pair of responses to each prompt, in random order (n, 2)."""
        first, second = np.triu_indices(self.shared, 1)
        pair = np.stack([first, second], axis=1) + self.shared * np.arange(prompts)[:, None, None]
        flip = rng.random(pair.shape[:2]) < 0.5
        return np.where(flip[..., None], pair[..., ::-1], pair).reshape(-1, 2)


def seen(gap: Floats, noise: Floats | float, rng: np.random.Generator) -> Floats:
    """The verdicts of somebody with this noise (n,)."""
    view = gap + noise * rng.normal(size=len(gap))
    return np.where(np.abs(view) < TIE, 0.0, np.sign(view))


def asked(labels: list[Ints]) -> People:
    """One person a list of labels."""
    size = len(labels[0])
    rater = np.repeat(np.arange(len(labels)), size)
    return People(
        pair=np.tile(np.arange(size), len(labels)),
        rater=rater,
        verdict=np.concatenate(labels),
        scores=np.full((len(rater), 2), np.nan),
        names=tuple(f"p{row}" for row in range(len(labels))),
    )


BIASED = (Judge(0.7, length=1.5), Judge(1.2, length=0.5), Judge(1.5, position=0.3))


def worlds() -> dict[str, Sown]:
    """Name to world."""
    found = {}
    for name, shared in (("nothing shared", 2), ("three a prompt", 3), ("five a prompt", 5)):
        found[f"{name}, even"] = Sown(shared=shared)
        found[f"{name}, people sure"] = Sown(shared=shared, noise=0.3, judges=(Judge(1.2),))
        found[f"{name}, judge sure"] = Sown(shared=shared, noise=1.5, judges=(Judge(0.4),))
        found[f"{name}, biased committee"] = Sown(shared=shared, noise=0.7, judges=BIASED)
        found[f"{name}, a bad topic"] = Sown(shared=shared, noise=0.7, judges=(Judge(0.7),), bad_topic=True)
    found["nothing shared, two people, 300 pairs"] = Sown(pairs=300, noise=0.8, people=2)
    found["four a prompt, two people, no names"] = Sown(shared=4, noise=0.8, people=2, named=False, own=0.7)
    return found
