"""What the judges say: verdicts, probabilities, consistency between orders, disagreement with each other, how their own
votes were split, and how far their scores lie apart.
"""

import numpy as np

from routing.features.base import Block, unit_scale
from routing.table import TIE, Floats, Mask, Table


def others(table: Table) -> Floats:
    """Verdicts of every judge but the standing one (J - 1, n)."""
    return np.delete(table.verdict, table.standing, axis=0)


def mean_of_others(table: Table) -> tuple[Floats, Mask]:
    """The other judges' mean verdict (n,), 0 where all are silent, and where any speaks (n,)."""
    rest = others(table)
    spoken = ~np.isnan(rest)
    count = spoken.sum(axis=0)
    total = np.where(spoken, rest, 0.0).sum(axis=0)
    return total / np.maximum(count, 1), count > 0


def disagreement(table: Table) -> Floats:
    """The share of the other judges that contradict the standing one (n,), NaN where all are silent."""
    rest = others(table)
    spoken = ~np.isnan(rest)
    count = spoken.sum(axis=0)
    against = (spoken & (rest != table.ai)).sum(axis=0)
    return np.divide(against, count, out=np.full(table.size, np.nan), where=count > 0)


def standing_odds(table: Table) -> Floats:
    """The standing judge's log-odds for the second response (n,), 0 where it gave no probability."""
    p = np.clip(table.probability[table.standing], 0.01, 0.99)
    return np.nan_to_num(np.log(p / (1 - p)), nan=0.0)


def reward(table: Table) -> Floats | None:
    """By how much judges that score find the second response better (n,), each on its own scale; None without one."""
    if table.margin is None or np.isnan(table.margin).all():
        return None
    given = np.nan_to_num(table.margin, nan=0.0)
    scaled = np.array([unit_scale(row) for row in given])
    spoken = (~np.isnan(table.margin)).sum(axis=0)
    total: Floats = scaled.sum(axis=0) / np.maximum(spoken, 1)
    return total


def split(table: Table) -> Floats | None:
    """How the judges' own votes were split (n,), in the mean over those that voted; None where none did."""
    if table.spread is None or np.isnan(table.spread).all():
        return None
    spoken = (~np.isnan(table.spread)).sum(axis=0)
    total: Floats = np.nan_to_num(table.spread, nan=0.0).sum(axis=0) / np.maximum(spoken, 1)
    return total


def judges(table: Table) -> Block:
    """`reward_with` is even: the reward's margin, positive where it goes with the standing verdict."""
    mean, heard = mean_of_others(table)
    against = np.nan_to_num(disagreement(table), nan=0.0)
    ai, odds = table.ai.astype(float), standing_odds(table)
    flipped = np.nan_to_num(table.consistent[table.standing], nan=1.0) < 0.5
    odd = {"standing": ai, "others": mean, "odds": odds}
    odd["standing_unheard"] = ai * ~heard * heard.any()
    odd["standing_contradicted"] = ai * against
    even = {
        "tie": (table.ai == TIE).astype(float),
        "flipped": flipped.astype(float),
        "against": against,
        "others_split": heard * (1.0 - np.abs(mean)),
    }
    margin, spread = reward(table), split(table)
    if odds.any():
        even["margin"] = np.abs(odds)
    if margin is not None:
        odd["reward"], even["reward_with"] = margin, margin * ai
    if spread is not None:
        even["votes_split"] = spread
        odd["standing_split"] = ai * spread
    return Block(odd=odd, even=even)
