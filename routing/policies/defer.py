"""defer: ask where a person's label is expected to change the verdict for the better, and fuse what is known.

The value of asking is the expected gain in the chance of the right verdict (Howard 1966, information value
theory): P(right after a label), averaged over what the person may say, minus P(right now). A label is evidence
and not the truth: where people are noisy and the judges, the features and related labels all say otherwise, it
does not win. Where no answer could change the verdict, nobody is asked: the budget is a cap.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from routing.belief import (
    OVER_JUDGE,
    OVER_PERSON,
    START,
    Belief,
    Scales,
    believe,
    decide,
    frame,
    value_of_asking,
)
from routing.policies.base import Policy, Ranking
from routing.table import Floats, Ints, Known, Table

LEAST_GAIN = 0.002  # a label that helps in fewer than 1 of 500 instances is not worth a person
SHARPNESS = 2.0  # instances are drawn with chances as the gain to this power
EXPLORE = 0.05  # of the labels are drawn by lot, so that the model sees easy instances too


class Defer(Policy):
    """The default policy, with fusion."""

    name = "defer"
    version = "1"
    learns = True
    fuses = True

    def __init__(self) -> None:
        self.scales: Scales = START
        self.held: tuple[Known, Belief] | None = None

    def belief(self, table: Table, known: Known) -> Belief:
        """The belief given these labels; the last one is kept, and the search starts where it ended."""
        if self.held is None or self.held[0] is not known:
            found = believe(table, known, start=self.scales)
            self.scales = found.scales
            self.held = (known, found)
        return self.held[1]

    def gains(self, table: Table, known: Known) -> Floats:
        """The expected gain of one more label, by pair (n,)."""
        asked = frame(table).asked
        gain = value_of_asking(self.belief(table, known), asked.judged(table.ai))
        return gain[asked.code]

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        gain = self.gains(table, known)
        asked = frame(table).asked
        alike = np.bincount(asked.code, minlength=asked.size)[asked.code]
        score = np.log(np.maximum(gain * alike, 1e-6)) * SHARPNESS + rng.gumbel(size=table.size)
        return Ranking(gain=score, worth=gain > LEAST_GAIN)

    def settle(self, table: Table, known: Known) -> Floats:
        """Beliefs, with the incumbent verdict in front where the rest does not outweigh it by its margin."""
        probability = frame(table).asked.turned(self.belief(table, known).after)
        heard, people = known.plurality(table.size)
        judged = decide(probability, table.ai + 1, OVER_JUDGE)
        given = decide(probability, people + 1, OVER_PERSON)
        return in_front(probability, np.where(heard, given, judged))


def in_front(probability: Floats, column: Ints) -> Floats:
    """The probabilities with the chosen column raised to just above the others (n, 3)."""
    rows = np.arange(len(column))
    raised = probability.copy()
    raised[rows, column] = np.maximum(raised[rows, column], probability.max(axis=1) + 1e-9)
    settled: Floats = raised / raised.sum(axis=1, keepdims=True)
    return settled
