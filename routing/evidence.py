"""What a judge's label keeps beside its verdict: how far its scores lie apart, and how its own votes were split."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

SCORED = ("rewards", "utilities", "scores")  # one number a response: reward models, probes, pointwise methods


def reward_margin(detail: Mapping[str, Any], first: int, second: int) -> float | None:
    """The second response's score less the first's; None where the judge scored no response by itself.

    >>> reward_margin({"rewards": [0.5, 2.0, 1.0]}, 0, 1)
    1.5
    """
    for name in SCORED:
        given = detail.get(name)
        if isinstance(given, list) and max(first, second) < len(given):
            return float(given[second]) - float(given[first])
    return None


def votes_spread(detail: Mapping[str, Any]) -> float | None:
    """How the votes behind one verdict were split: 0 all for one side, 1 in halves; None where nothing was voted.

    4 v (1 - v) of the share v for one side: of a reward model's members, of sampled verdicts (a tie is half a vote for
    each side), or of jurors by the sign of their log-odds.

    >>> votes_spread({"samples": {"A": 3, "B": 1}})
    0.75
    """
    share = votes_share(detail)
    return None if share is None else 4 * share * (1 - share)


def votes_share(detail: Mapping[str, Any]) -> float | None:
    """The share of the votes for one side, whichever."""
    votes, samples, jurors = (detail.get(name) for name in ("votes", "samples", "jurors"))
    if isinstance(votes, Real):
        return float(votes)
    if isinstance(samples, dict) and sum(samples.values()) > 0:
        return float(samples.get("A", 0) + samples.get("tie", 0) / 2) / float(sum(samples.values()))
    odds = list(jurors.values()) if isinstance(jurors, dict) else []
    if odds and all(isinstance(each, Real) for each in odds):
        return sum((each > 0) + (each == 0) / 2 for each in odds) / len(odds)
    return None
