"""The probe's backend: Bradley-Terry heads over stored representations, learnt from the project's own people.

Heads are fitted per aspect from the human labels up to a watermark, which is part of the judge's version,
so that every chunk of a run learns from the same labels and a later run with more labels is another
version. Prompts are dealt to folds by their hash: a row is scored by the head that saw no label of its
prompt, whatever was imported since.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from judges.items import Item, Limits
from judges.loading import item_of
from judges.problems import NotEnoughLabels
from judges.representations import STORED_AS, Vectors, of_items
from judges.requests import Answer, Failure, Request, Usage, Utilities, UtilityRequest
from ledger.models import Aspect, Instance, Label, Rater
from ledger.votes import read_votes
from quality.bias import style_counts
from quality.probe import LEAST_ROWS, Head, features, fit
from quality.verdicts import Floats, Ints

FOLDS = 5
AT_ONCE = 512  # instances turned into features at a time


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """One aspect's heads by fold, and the line from utilities to its ratings."""

    heads: tuple[Head, ...]
    intercept: float
    slope: float


@dataclass(slots=True, eq=False)
class ProbeBackend:
    """Answers `UtilityRequest`s for instances of one project."""

    project: int
    watermark: int
    encoder: str = "smollm2"
    learnt: dict[str, Learnt] = field(default_factory=dict)

    def limits(self) -> Limits:
        return Limits(window=1 << 20)

    def identity(self) -> str:
        return f"probe:{self.project}:{self.watermark}:{STORED_AS[self.encoder]}"

    def warm_up(self) -> None:
        """Heads are fitted at the first request for their aspect."""

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        asked = [request for request in requests if isinstance(request, UtilityRequest)]
        if len(asked) < len(requests):
            return [Failure(f"the probe cannot answer {type(request).__name__}") for request in requests]
        start = time.perf_counter()
        for aspect in {request.aspect for request in asked} - set(self.learnt):
            self.learnt[aspect] = self._learn(aspect)
        instances = list(dict.fromkeys(request.instance for request in asked if request.item is None))
        rows = dict(zip(instances, self._features(instances), strict=True))
        folds = self._folds(instances)
        strange = iter(features_of([request.item for request in asked if request.item], self.encoder))
        seconds = (time.perf_counter() - start) / max(len(requests), 1)
        return [
            self._utilities(request, rows[request.instance], folds[request.instance], seconds)
            if request.item is None
            else self._utilities(request, next(strange), 0, seconds)  # no head saw a label of it
            for request in asked
        ]

    def _utilities(self, request: UtilityRequest, rows: Floats, fold: int, seconds: float) -> Answer:
        """The responses' utilities by the head of their prompt's fold, rows (n, D)."""
        learnt = self.learnt[request.aspect]
        head = learnt.heads[fold]
        spread = float(head.spread(rows[1:2] - rows[:1])[0]) if len(rows) > 1 else 0.0
        return Utilities(
            tuple(float(u) for u in head.utilities(rows)),
            spread=spread,
            line=(learnt.intercept, learnt.slope),
            learnt_from=head.n,
            usage=Usage(seconds=seconds),
        )

    # ---------------------------------------------------------------- learning

    def _learn(self, name: str) -> Learnt:
        """A head for each fold from the people's labels outside it. Raises `NotEnoughLabels`."""
        pairs, targets, instances = self._targets(name)
        distinct = sorted(set(instances.tolist()))
        rows = dict(zip(distinct, self._features(distinct), strict=True))
        folds = self._folds(distinct)
        fold = np.array([folds[i] for i in instances], dtype=np.int64)
        differences = np.array([rows[i][j] - rows[i][k] for i, (k, j) in zip(instances, pairs, strict=True)])
        known = self._groups(distinct)
        groups = np.array([known[i] for i in instances], dtype=np.int64)
        widths = _widths(differences.shape[1])
        heads = []
        for k in range(FOLDS):
            learn = fold != k
            if learn.sum() < LEAST_ROWS:
                raise too_few(int(learn.sum()))
            heads.append(fit(differences[learn], targets[learn], groups=groups[learn], widths=widths))
        return Learnt(tuple(heads), *self._line(name, rows, folds, tuple(heads)))

    def _targets(self, name: str) -> tuple[list[tuple[int, int]], Floats, Ints]:
        """The labelled pairs, the mean human verdict on each as 0…1, and their instances."""
        votes = read_votes(Aspect.objects.select_related("project").get(project=self.project, name=name))
        mine = votes.is_person & (votes.label <= self.watermark)
        keys = list(zip(votes.instance[mine].tolist(), map(tuple, votes.pair[mine].tolist()), strict=True))
        heard: dict[tuple[int, tuple[int, int]], list[int]] = {}
        for key, verdict in zip(keys, votes.verdict[mine].tolist(), strict=True):
            heard.setdefault(key, []).append(verdict)
        if len(heard) < LEAST_ROWS:
            raise too_few(len(heard))
        targets = np.array([(1 + np.mean(verdicts)) / 2 for verdicts in heard.values()])
        return (
            [pair for _, pair in heard],
            targets,
            np.array([instance for instance, _ in heard], dtype=np.int64),
        )

    def _line(
        self, name: str, rows: dict[int, Floats], folds: dict[int, int], heads: tuple[Head, ...]
    ) -> tuple[float, float]:
        """Intercept and slope of the people's ratings on left-out utilities; (0, 1) where nothing is
        rated.
        """
        aspect = Aspect.objects.get(project=self.project, name=name)
        if aspect.task_type != "rating":
            return 0.0, 1.0
        labels = Label.objects.live().filter(
            aspect=aspect, rater__kind=Rater.Kind.PERSON, pk__lte=self.watermark
        )
        u, y = [], []
        for instance, value in labels.values_list("instance", "value"):
            for index, rating in value["ratings"].items():
                u.append(float(heads[folds[instance]].utilities(rows[instance][int(index)][None])[0]))
                y.append(float(rating))
        slope, intercept = np.polyfit(u, y, 1) if np.std(u) > 1e-9 else (0.0, float(np.mean(y)))
        return float(intercept), float(slope)

    # ---------------------------------------------------------------- reading

    def _features(self, instances: Sequence[int]) -> list[Floats]:
        """φ of every response of each instance, [(n_i, D)]."""
        out: list[Floats] = []
        for at in range(0, len(instances), AT_ONCE):
            part = list(instances[at : at + AT_ONCE])
            found = Instance.objects.with_responses().in_bulk(part)
            out += features_of([item_of(found[pk]) for pk in part], self.encoder)
        return out

    def _folds(self, instances: Sequence[int]) -> dict[int, int]:
        """Each instance's fold, by its prompt's hash: the same for equal prompts, now and after any
        import.
        """
        return {pk: group % FOLDS for pk, group in self._groups(instances).items()}

    def _groups(self, instances: Sequence[int]) -> dict[int, int]:
        hashes = Instance.objects.filter(pk__in=instances).values_list("pk", "prompt_hash")
        return {pk: int(prompt[:12], 16) for pk, prompt in hashes}


def features_of(items: Sequence[Item], encoder: str) -> list[Floats]:
    """φ of every response of each item, [(n_i, D)]."""
    vectors = of_items(items, encoder)
    return [_rows(item, vectors, row) for row, item in enumerate(items)]


def _rows(item: Item, vectors: Vectors, row: int) -> Floats:
    """φ of the item's responses (n, D)."""
    said = vectors.responses[row].astype(float)
    prompts = np.repeat(vectors.prompts[row][None].astype(float), len(said), axis=0)
    return features(
        prompts=prompts, responses=said, style=np.array([style_of(text) for text in item.responses])
    )


def style_of(text: str) -> list[float]:
    """Length and style of a response, in logarithms."""
    return [float(np.log1p(len(text))), *(float(np.log1p(count)) for count in style_counts(text))]


def _widths(columns: int) -> tuple[int, ...]:
    """The widths of the representation, the interaction and the style block."""
    style = len(style_of(""))
    return (columns - style) // 2, (columns - style) // 2, style


def too_few(n: int) -> NotEnoughLabels:
    """The refusal that says how many labelled pairs there are and how many it takes."""
    return NotEnoughLabels(
        f"The probe learns from people's labels and found {n} labelled pairs; it needs at least {LEAST_ROWS} "
        "outside every fifth of the prompts.",
        found=n,
        needed=LEAST_ROWS,
    )
