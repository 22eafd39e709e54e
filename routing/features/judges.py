"""What the judges say: verdicts, probabilities, consistency between orders, disagreement with each other."""

import numpy as np

from routing.features.base import Block
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


def judges(table: Table) -> Block:
    mean, heard = mean_of_others(table)
    against = np.nan_to_num(disagreement(table), nan=0.0)
    ai = table.ai.astype(float)
    flipped = np.nan_to_num(table.consistent[table.standing], nan=1.0) < 0.5
    odd = {"standing": ai, "others": mean, "odds": standing_odds(table)}
    odd["standing_unheard"] = ai * ~heard * heard.any()
    odd["standing_contradicted"] = ai * against
    even = {
        "tie": (table.ai == TIE).astype(float),
        "flipped": flipped.astype(float),
        "against": against,
        "others_split": heard * (1.0 - np.abs(mean)),
    }
    return Block(odd=odd, even=even)
