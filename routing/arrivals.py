"""Deciding at once on an instance that has just arrived, from what the last full look has learnt.

A full look reads the whole project and takes seconds. What it concludes, the value of asking at every instance, is
learnt by a small model from columns that need one instance alone; it is kept in the cache under the route and the
look that made it. An arrival is read, measured and held against the shadow price. The next full look may decide
otherwise, and then logs the change.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np
from django.core.cache import cache

from routing.features import TEXTS
from routing.features.base import block, gap, per_text
from routing.features.form import SIGNS, occurrences, repetition
from routing.features.judges import disagreement, mean_of_others, standing_odds
from routing.features.language import foreign_share
from routing.features.lengths import word_count
from routing.features.similarity import rouge
from routing.features.topics import DIMENSIONS, prompt_dimensions
from routing.models import Route
from routing.planning import Plan, whole_prices
from routing.policies.uncertainty import leaning
from routing.table import TIE, Floats, Mask, Table

LEAST_ROWS, MOST_ROWS = 40, 4000  # pairs that the small model learns from
KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, eq=False)
class Sight:
    """What is known of the whole project that an instance alone cannot show: where topics lie, who is how strong.

    `leans` maps (first model, second model) to how far judges lean to the second's responses.
    """

    space: Any
    models: tuple[str, ...]
    leans: dict[tuple[str, str], float]

    @classmethod
    def of(cls, table: Table) -> Sight:
        prompt_dimensions(table)
        standing = block(table, "strengths").odd["standing"]
        names = np.array([*table.models, ""])[table.model_of][table.pair]  # (n, 2)
        found: dict[tuple[str, str], list[float]] = {}
        for (first, second), lean in zip(names.tolist(), standing.tolist(), strict=True):
            found.setdefault((first, second), []).append(lean)
            found.setdefault((second, first), []).append(-lean)
        leans = {pair: float(np.mean(values)) for pair, values in found.items() if all(pair)}
        return cls(table.cache.get("prompt_space"), table.models, leans)

    def lean(self, table: Table) -> Floats:
        """How far the judges lean to the second response's model elsewhere (n,); 0 where it is not known."""
        names = np.array([*table.models, ""])[table.model_of][table.pair]
        return np.array([self.leans.get((first, second), 0.0) for first, second in names.tolist()])

    def topics(self, table: Table) -> Floats:
        """Where the prompts lie (n, 6), zeros where the space is unknown."""
        places = np.zeros((len(table.prompts), DIMENSIONS))
        if self.space is not None:
            found = self.space.place(table.prompts)
            places[:, : found.shape[1]] = found
        return places[table.prompt]


def columns(table: Table, sight: Sight) -> Floats:
    """What each pair shows by itself and in this sight (n, k), the same whichever response comes first."""
    ai = table.ai.astype(float)
    lean, topics = sight.lean(table), sight.topics(table)
    logs = np.log1p(per_text(table, "words", word_count))
    prompts = np.log1p([word_count(text) for text in table.prompts])
    both, longer = logs[table.pair], gap(table, logs)
    marks = [np.log1p(per_text(table, name, partial(occurrences, sign))) for name, sign in SIGNS.items()]
    marks += [per_text(table, "repetition", repetition), per_text(table, "foreign", foreign_share)]
    mean, heard = mean_of_others(table)
    against = np.nan_to_num(disagreement(table), nan=0.0)
    flipped = np.nan_to_num(table.consistent[table.standing], nan=1.0) < 0.5
    found = [
        longer * ai,
        np.abs(longer),
        both.min(axis=1),
        both.max(axis=1),
        prompts[table.prompt],
        *rouge(table).T,
        *(gap(table, values) * ai for values in marks),
        table.ai == TIE,
        flipped,
        against,
        heard,
        mean * ai,
        np.abs(mean),
        standing_odds(table) * ai,
        np.abs(2 * leaning(table) - 1),
        lean * ai,
        np.abs(lean),
        *topics.T,
        *(topics.T * ai),
    ]
    return np.stack([np.asarray(column, dtype=float) for column in found], axis=1)


@dataclass(frozen=True, eq=False)
class Decider:
    """A look's conclusions for instances that it did not see. `judges` are rater ids in the table's order."""

    version: str  # the route and the time of the look
    sight: Sight
    model: Any
    judges: tuple[int, ...]
    mean_price: float | None  # None where gains are not weighed against prices
    shadow: float

    def price(self) -> float:
        """The shadow price as arrivals since the look have moved it."""
        return float(cache.get(f"routing:price:{self.version}", self.shadow))

    def move(self, price: float) -> None:
        cache.set(f"routing:price:{self.version}", price, KEPT_SECONDS)

    def value(self, table: Table) -> Floats:
        """Gain over price of each instance (N,)."""
        gain = np.asarray(self.model.predict(columns(table, self.sight)))
        size = len(table.instances)
        gains = np.bincount(table.owner, weights=gain, minlength=size) / np.maximum(
            np.bincount(table.owner), 1
        )
        if self.mean_price is None:
            return gains
        price = np.zeros(size)
        np.maximum.at(price, table.owner, table.price)
        return gains / (price / self.mean_price)


def learn(planned: Plan, *, version: str) -> Decider | None:
    """The decider of a full look; None where too little is open to learn from, or the choice is by lot."""
    table = planned.loaded.table
    open_: Mask = ~planned.labelled[table.owner]
    rows = np.flatnonzero(open_ if open_.sum() >= LEAST_ROWS else np.ones(table.size, dtype=bool))
    if len(rows) < LEAST_ROWS or planned.policy.by_lot:
        return None
    rows = rows[np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS]]
    sight = Sight.of(table)
    model = TEXTS.load("learner")().fit(columns(table, sight)[rows], planned.gain[table.owner[rows]])
    mean = float(whole_prices(planned.loaded).mean()) or None
    return Decider(
        version=version,
        sight=sight,
        model=model,
        judges=planned.loaded.judges,
        mean_price=mean if planned.policy.priced else None,
        shadow=planned.shadow,
    )


def key_of(route: Route) -> str:
    return f"routing:decider:{route.pk}"


def keep_decider(route: Route, planned: Plan) -> None:
    """Keeps the look's decider in the cache, under the route; none where there is nothing to keep."""
    lines = route.parameters.get("prices", [])
    made = learn(planned, version=f"{route.pk}:{lines[-1]['at'] if lines else route.created.isoformat()}")
    cache.set(f"{key_of(route)}:version", made.version if made else None, KEPT_SECONDS)
    cache.set(key_of(route), made, KEPT_SECONDS)


@lru_cache(maxsize=8)
def _held(key: str, version: str) -> Decider | None:
    found = cache.get(key)
    return found if isinstance(found, Decider) and found.version == version else None


def read_decider(route: Route) -> Decider | None:
    """The decider of the route's last full look, held by this process; None where there is none."""
    version = cache.get(f"{key_of(route)}:version")
    return _held(key_of(route), version) if version else None
