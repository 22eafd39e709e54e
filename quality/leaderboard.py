"""Which model people prefer: Bradley-Terry strengths of the models behind the responses."""

from dataclasses import dataclass

import numpy as np

from ledger.models import Aspect, Response
from quality.consensus.bradley_terry import BradleyTerry
from quality.intervals import SEED, Estimate, bootstrap_sums, percentile_interval
from quality.readings import Reading, read_aspect
from quality.verdicts import Bools, Floats, Ints

RESAMPLES = 200
MOST = 40  # models; a longer list is nobody's leaderboard
FEW = 30  # votes between different models


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model. `wins`: the chance that its response is preferred to an average other model's, a tie halved."""

    name: str
    wins: Estimate


def compare_models(aspect: Aspect) -> list[ModelRow]:
    """The models, strongest first; none where people have compared too few."""
    reading = read_aspect(aspect)
    first, second, names = models_of(reading)
    between = (first != second) & (first >= 0) & (second >= 0)
    usable = between[reading.items]
    if usable.sum() < FEW or not 2 <= len(names) <= MOST:
        return []
    tables = tables_by_prompt(reading, first, second, usable, n=len(names))
    votes = tables.sum(axis=0) + tables.sum(axis=0).T
    rates = win_rates(tables.sum(axis=0))
    low, high = rate_bounds(tables)
    rows = [
        ModelRow(name, Estimate(float(rates[k]), round(votes[k].sum()), low[k], high[k]))
        for k, name in enumerate(names)
        if votes[k].sum()
    ]
    return sorted(rows, key=lambda row: -(row.wins.value or 0.0))


def models_of(reading: Reading) -> tuple[Ints, Ints, list[str]]:
    """The models of each item's two responses as codes, (I,) twice, -1 where unnamed, and their names."""
    responses = Response.objects.filter(instance__project=reading.aspect.project_id).exclude(model="")
    known = {
        (pk, index): model for pk, index, model in responses.values_list("instance_id", "index", "model")
    }
    pairs = list(zip(reading.instance.tolist(), reading.pair.tolist(), strict=True))
    names = sorted({known[pk, i] for pk, pair in pairs for i in pair if (pk, i) in known})
    codes = {name: code for code, name in enumerate(names)}
    sides = [[codes.get(known.get((pk, i), ""), -1) for i in pair] for pk, pair in pairs]
    first, second = np.array(sides, dtype=int).reshape(-1, 2).T
    return first, second, names


def tables_by_prompt(reading: Reading, first: Ints, second: Ints, usable: Bools, *, n: int) -> Floats:
    """How often the row's model won against the column's on each prompt, (P, n, n)."""
    prompts = reading.prompt[reading.items[usable]]
    items, verdicts = reading.items[usable], reading.verdicts[usable]
    size = int(prompts.max()) + 1
    tables = np.zeros((size, n, n))
    np.add.at(tables, (prompts, second[items], first[items]), (verdicts + 1) / 2)
    np.add.at(tables, (prompts, first[items], second[items]), (1 - verdicts) / 2)
    return tables[np.unique(prompts)]


def win_rates(wins: Floats) -> Floats:
    """Each model's mean chance against the others, (n,), from a table of wins."""
    scores = BradleyTerry().fit_wins(wins).scores_
    chances = 1 / (1 + np.exp(scores[None, :] - scores[:, None]))  # (n, n) row beats column
    return (chances.sum(axis=1) - 0.5) / (len(scores) - 1)


def rate_bounds(tables: Floats) -> tuple[list[float | None], list[float | None]]:
    """The 95 % bootstrap intervals of `win_rates`, whole prompts resampled."""
    n = tables.shape[1]
    rng = np.random.default_rng(SEED)
    sums = bootstrap_sums(tables.reshape(len(tables), -1), rng=rng, resamples=RESAMPLES)
    rates = np.array([win_rates(total.reshape(n, n)) for total in sums])  # (B, n)
    bounds = [percentile_interval(rates[:, k]) for k in range(n)]
    return [low for low, _ in bounds], [high for _, high in bounds]
