"""How strong the judges find each response and its model elsewhere, without this pair's own verdict.

A judge's verdicts on other pairs with the same responses, and with other responses of the same models, say
something of their own about this pair: they are the judge's view with its noise averaged out.
"""

import numpy as np

from routing.effects import Components, Design, Priors, VerdictModel
from routing.features.base import Block, unit_scale
from routing.features.judges import mean_of_others
from routing.questions import Questions, questions
from routing.table import Floats, Table

MODEL_PRECISION = 1.0  # a model's log-strength has deviation 1: strong models win about 3 in 4
RESPONSE_VARIANCE = 1.0
PAIR_VARIANCE = 0.5
MOST_MODELS = 40  # more are not told apart: their columns would outnumber the evidence
LEAST_VERDICTS = 20


def model_columns(asked: Questions, models: int) -> Floats:
    """Which models a question compares (N, M): 1 the second's, -1 the first's; no column for too many models."""
    columns = np.zeros((asked.size, models if models <= MOST_MODELS else 0))
    rows = np.arange(asked.size)
    for side, sign in ((1, 1.0), (0, -1.0)):
        here = (asked.model[:, side] >= 0) & (columns.shape[1] > 0)
        np.add.at(columns, (rows[here], asked.model[here, side]), sign)
    return columns


def components(table: Table) -> Components:
    """The shared responses of the table's questions by connected component, found once."""
    if "components" not in table.cache:
        asked = questions(table)
        table.cache["components"] = Components(asked.response, asked.shared)
    found = table.cache["components"]
    assert isinstance(found, Components)
    return found


def elsewhere(table: Table, verdict: Floats) -> Floats:
    """The lean of a judge's other verdicts (n,), in log-odds; verdict (n,) is NaN where it is silent."""
    asked = questions(table)
    spoken = ~np.isnan(verdict)
    if spoken.sum() < LEAST_VERDICTS:
        return np.zeros(table.size)
    counts = np.zeros((asked.size, 3))
    said = np.nan_to_num(verdict[spoken]).round().astype(np.int64) * asked.flip[spoken]
    np.add.at(counts, (asked.code[spoken], said + 1), 1.0)
    models = model_columns(asked, len(table.models))
    design = Design(odd=models, even=np.ones((asked.size, 1)), pair=asked.response)
    priors = Priors(
        mean=np.zeros(models.shape[1] + 1),
        precision=np.r_[np.full(models.shape[1], MODEL_PRECISION), 0.1],
        response=RESPONSE_VARIANCE,
        pair=PAIR_VARIANCE,
        tie=PAIR_VARIANCE,
    )
    judged = np.flatnonzero(counts.sum(axis=1) > 0)
    fitted = VerdictModel(priors, components(table)).fit(design.rows(judged), counts[judged])
    lean = fitted.latent(design).mean[:, 0]
    lean[judged] = fitted.cavity().mean[:, 0]
    return lean[asked.code] * asked.flip


def strengths(table: Table) -> Block:
    mean, heard = mean_of_others(table)
    odd = {"standing": unit_scale(elsewhere(table, table.verdict[table.standing]))}
    if heard.any():
        odd["others"] = unit_scale(elsewhere(table, np.where(heard, np.sign(mean), np.nan)))
    apart = sum((np.abs(values) for values in odd.values()), np.zeros(table.size)) / len(odd)
    tied = (table.ai == 0).astype(float)
    return Block(odd=odd, even={"apart": apart - 1.0, "apart_tied": (apart - 1.0) * tied})
