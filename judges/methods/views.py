"""Two orders, one verdict: what every method that ends in verdict tokens does with the orders' answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judges.items import Question
from judges.requests import LabelScores, Usage
from judges.verdicts import Outcome, Verdict, log_softmax, pair_value, sigmoid


@dataclass(frozen=True, slots=True)
class View:
    """One order's answer turned to the lower-numbered response as first.

    `log_odds` that the higher-numbered one is better, `tie` the share of a tie label among the labels.
    """

    order: tuple[int, ...]
    log_odds: float
    tie: float
    mass: float
    logprobs: tuple[float, ...]

    @classmethod
    def of(cls, order: tuple[int, ...], answer: LabelScores) -> View:
        """The view of label scores for A, B and perhaps Tie, shown in `order`."""
        shares = log_softmax(answer.logprobs)
        second = shares[1] - shares[0]
        return cls(
            order=order,
            log_odds=second if order[0] < order[1] else -second,
            tie=float(np.exp(shares[2])) if len(shares) == 3 else 0.0,
            mass=answer.mass,
            logprobs=answer.logprobs,
        )

    @property
    def probability(self) -> float:
        """P(the higher-numbered response is preferred), half of a tie's share on either side."""
        return (1 - self.tie) * sigmoid(self.log_odds) + self.tie / 2

    def detail(self) -> dict[str, object]:
        return {
            "log_odds": round(self.log_odds, 6),
            "label_logprobs": [round(value, 6) for value in self.logprobs],
            "mass": round(self.mass, 6),
        }


@dataclass(frozen=True, slots=True)
class Joint:
    """What the orders say together."""

    log_odds: float
    tie: float
    flipped: bool

    @property
    def probability(self) -> float:
        return (1 - self.tie) * sigmoid(self.log_odds) + self.tie / 2

    def detail(self) -> dict[str, object]:
        return {
            "averaged_log_odds": round(self.log_odds, 6),
            "averaged_probability": round(self.probability, 6),
            "flipped": self.flipped,
        }


def joined(views: Sequence[View]) -> Joint:
    """The orders averaged in log-odds, and a tie's own log-odds averaged likewise, so that neither order's
    certainty drowns the other's.
    """
    log_odds = float(np.mean([view.log_odds for view in views]))
    tie = 0.0
    if any(view.tie for view in views):
        shares = np.clip([view.tie for view in views], 1e-9, 1 - 1e-9)
        tie = sigmoid(float(np.mean(np.log(shares) - np.log1p(-shares))))
    return Joint(log_odds, tie, len({view.log_odds > 0 for view in views}) > 1)


def presentations(
    views: Sequence[View],
    question: Question,
    usages: Sequence[Usage],
    *,
    detail: Mapping[str, object],
    rationales: Sequence[str] = (),
) -> list[Outcome]:
    """One verdict an order with that order's own probability, each carrying the average of all."""
    joint = joined(views)
    return [
        Verdict(
            value=pair_value(view.probability, question, tie=view.tie),
            order=view.order,
            detail={**detail, **joint.detail(), **view.detail()},
            rationale=rationales[at] if at < len(rationales) else "",
            usage=usages[at],
        )
        for at, view in enumerate(views)
    ]
