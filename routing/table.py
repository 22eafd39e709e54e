"""What a policy may see of the pairs it routes, and the one gate through which it buys human labels.

A verdict says which response of a pair is preferred: -1 the first, 0 a tie, 1 the second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

# The names say what an array holds; numpy's own promotion rules decide its dtype.
Floats = NDArray[Any]
Ints = NDArray[Any]
Mask = NDArray[Any]

FIRST, TIE, SECOND = -1, 0, 1
VERDICTS = np.array([FIRST, TIE, SECOND], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """Sentence embeddings: prompts (P, d) and responses (R, d), rows of a table's texts."""

    prompts: Floats
    responses: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """n pairs of responses with everything that is known before a person is asked.

    `prompt` (n,) points into `prompts`, `pair` (n, 2) into `responses`, `model_of` (R,) into `models` (-1 where
    the model is not recorded). `verdict`, `probability` (of the second response), `consistent` (1 where both orders
    agreed), `margin` (the second response's score less the first's, where a judge scores) and `spread` (0…1, how a
    judge's own votes were split) are (J, n), NaN where a judge is silent; `standing` is the judge whose verdict stands
    where nobody is asked. `owner` (n,) points into `instances`: an instance of m responses is m(m-1)/2 pairs.
    `price` (n,) is what a person's label costs there, in the project's currency. `graded` says that verdicts
    come from ratings, whose means hardly ever tie.
    """

    ids: tuple[str, ...]
    prompts: tuple[str, ...]
    responses: tuple[str, ...]
    models: tuple[str, ...]
    prompt: Ints
    pair: Ints
    model_of: Ints
    judges: tuple[str, ...]
    verdict: Floats
    probability: Floats
    consistent: Floats
    standing: int
    price: Floats
    instances: tuple[int, ...]
    owner: Ints
    graded: bool = False
    margin: Floats | None = None
    spread: Floats | None = None
    embeddings: Embeddings | None = None
    slices: Ints | None = None  # (n,) the prompt's domain as a code, where domains are recorded
    matching: Floats | None = None  # (n, 3) BERTScore's P, R and F1 of the second response against the first
    hyper: Mapping[str, str] = field(default_factory=dict)  # the project's setting of that name
    tags: Floats | None = None  # (P, 63) probabilities of `judges.tagging`, NaN where a prompt has none
    cache: dict[str, object] = field(default_factory=dict, repr=False)

    @property
    def size(self) -> int:
        return len(self.ids)

    @property
    def ai(self) -> Ints:
        """The verdict that stands where nobody is asked (n,); a tie where the standing judge is silent."""
        return np.nan_to_num(self.verdict[self.standing], nan=TIE).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The m human labels that have been paid for: rows (instance, rater, verdict), each (m,)."""

    instance: Ints
    rater: Ints
    verdict: Ints

    @classmethod
    def nothing(cls) -> Self:
        empty = np.zeros(0, dtype=np.int64)
        return cls(instance=empty, rater=empty, verdict=empty)

    def __len__(self) -> int:
        return len(self.instance)

    def asked(self, size: int) -> Mask:
        """Which of `size` instances carry at least one human label (n,)."""
        mask = np.zeros(size, dtype=bool)
        mask[self.instance] = True
        return mask

    def counts(self, size: int) -> Ints:
        """Human labels per instance and verdict (n, 3), columns first, tie, second."""
        counts = np.zeros((size, 3), dtype=np.int64)
        np.add.at(counts, (self.instance, self.verdict + 1), 1)
        return counts

    def plurality(self, size: int) -> tuple[Mask, Ints]:
        """Where people have said something (n,), and what most of them said (n,); equal camps are a tie."""
        counts = self.counts(size)
        best = counts.max(axis=1)
        alone = (counts == best[:, None]).sum(axis=1) == 1
        return best > 0, np.where(alone, counts.argmax(axis=1) - 1, TIE)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The m human labels of a table's pairs: rows (pair, rater, verdict) and the two scores where graded."""

    pair: Ints
    rater: Ints
    verdict: Ints
    scores: Floats  # (m, 2), NaN where the aspect is not rated
    names: tuple[str, ...]

    def known(self) -> Known:
        return Known(instance=self.pair, rater=self.rater, verdict=self.verdict)


class Unrevealed(RuntimeError):
    """A policy tried to read a human label that nobody has paid for."""


class CapPassed(RuntimeError):
    """A policy tried to buy more human labels than the budget allows."""


class Reveal:
    """The gate to hidden human labels: it gives one for each instance that is paid for, and counts.

    `source(i)` answers (rater, verdict) of the label that instance i would bring. It is called for bought
    instances only, so a source that raises is a tripwire around everything else.
    """

    def __init__(self, source: Callable[[int], tuple[int, int]], *, cap: int) -> None:
        self._source = source
        self.cap = cap
        self._bought: dict[int, tuple[int, int]] = {}

    @property
    def spent(self) -> int:
        return len(self._bought)

    def raise_cap(self, cap: int) -> None:
        """Open more of the budget; a cap never shrinks below what is spent."""
        if cap < self.spent:
            raise CapPassed(f"a cap of {cap} is below the {self.spent} labels that are bought already")
        self.cap = cap

    def ask(self, instances: Sequence[int] | Ints) -> None:
        """Buy one human label for each of `instances`; nothing is bought where the cap would be passed."""
        wanted = [int(i) for i in instances if int(i) not in self._bought]
        if self.spent + len(wanted) > self.cap:
            raise CapPassed(f"{self.spent} spent and {len(wanted)} wanted, but the cap is {self.cap}")
        self._bought.update({i: self._source(i) for i in wanted})

    def label(self, instance: int) -> tuple[int, int]:
        """(rater, verdict) of a bought label; anything else trips."""
        if instance not in self._bought:
            raise Unrevealed(f"the human label of instance {instance} has not been paid for")
        return self._bought[instance]

    def known(self) -> Known:
        """Every label bought so far, in the order of buying."""
        rows = [(i, rater, verdict) for i, (rater, verdict) in self._bought.items()]
        columns = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return Known(instance=columns[0], rater=columns[1], verdict=columns[2])
