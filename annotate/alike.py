"""How far two answers to one question say the same: what gold and consistency are measured by."""

from typing import Any

from ledger.models import Aspect
from ledger.task_types.base import EXTRAS

Value = dict[str, Any]


def alike(aspect: Aspect, known: Value, given: Value) -> float:
    """The share of what `known` says that `given` says too, 0…1.

    Where the answers order responses: of the pairs that `known` orders, those with the same verdict
    (strengths are not compared; *both bad* is not a tie). Single ratings: those within a step. Anything
    else is the same or it is not; confidence, reasons and comments never matter.
    """
    if bool(known.get("both_bad")) != bool(given.get("both_bad")):
        return 0.0
    said = {(i, j): verdict for i, j, verdict in aspect.task.votes(given)}
    wanted = aspect.task.votes(known)
    if wanted:
        return sum(said.get((i, j)) == verdict for i, j, verdict in wanted) / len(wanted)
    if "ratings" in known:
        return near(known["ratings"], given.get("ratings", {}), step=aspect.settings.get("step") or 1)
    return float(essence(known) == essence(given))


def near(known: dict[str, float], given: dict[str, float], *, step: float) -> float:
    """The share of the known ratings that `given` meets within a step."""
    met = [index in given and abs(given[index] - rating) <= step + 1e-9 for index, rating in known.items()]
    return sum(met) / len(met)


def essence(value: Value) -> Value:
    return {name: part for name, part in value.items() if name not in EXTRAS}
