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
    chance_of,
    decide,
    frame,
    proven,
    value_of_asking,
)
from routing.features.base import block, share_below
from routing.features.judges import disagreement, reward, split
from routing.features.lengths import length_gap
from routing.features.similarity import likeness
from routing.policies.base import Policy, Ranking, Reason, verdicts_of
from routing.table import TIE, Floats, Ints, Known, Mask, Table

LEAST_GAIN = 0.002  # a label that helps in fewer than 1 of 500 instances is not worth a person
BORNE_OUT = 1.0  # standard errors by which what was learnt must have been better (`routing.belief.proven`)
RETUNE = 1.5  # how much more evidence there must be before the scales are searched again
SHARPNESS = (
    2.0  # instances are drawn with chances as the gain to this power, where labels tell of other pairs
)
SHARPNESS_ALONE = 8.0  # … and where they tell of their own pair only, so that exploring brings little


class Defer(Policy):
    """Asks where a person is expected to change the verdict for the better, and weighs what is known together."""

    name = "defer"
    version = "1"
    learns = True
    fuses = True
    priced = True

    def __init__(self, prior: Scales = START) -> None:
        self.prior = prior
        self.scales = prior
        self.tuned_on = 0
        self.held: tuple[Known, Belief] | None = None
        self.first: Floats | None = None

    def belief(self, table: Table, known: Known) -> Belief:
        """The belief given these labels; the last one is kept, and the search starts where it ended."""
        if self.held is None or self.held[0] is not known:
            tune = len(known) >= RETUNE * self.tuned_on
            found = believe(table, known, start=self.scales, prior=self.prior, tune=tune)
            self.scales, self.tuned_on = found.scales, len(known) if tune else self.tuned_on
            self.held = (known, found)
        return self.held[1]

    def gains(self, table: Table, known: Known) -> Floats:
        """What a person's label adds to each pair (n,): expected where nobody was asked, else as believed now."""
        belief, asked = self.belief(table, known), frame(table).asked
        expected = value_of_asking(belief, self.standing(table, known))[asked.code]
        after = asked.turned(belief.after)
        settled = chance_of(after, verdicts_of(self.settle(table, known)) + 1)
        return np.where(known.asked(table.size), settled - chance_of(after, table.ai + 1), expected)

    def rank(self, table: Table, known: Known, *, cap: int, rng: Generator) -> Ranking:
        gain, heard = self.gains(table, known), known.asked(table.size)
        framed = frame(table)
        alike = np.bincount(framed.asked.code, minlength=framed.asked.size)[framed.asked.code]
        sharpness = SHARPNESS if framed.linked else SHARPNESS_ALONE
        score = np.log(np.maximum(gain * alike, 1e-6)) * sharpness + rng.gumbel(size=table.size)
        return Ranking(gain=gain, worth=heard | (gain > LEAST_GAIN), score=score, slope=sharpness)

    def standing(self, table: Table, known: Known) -> Ints:
        """The column of the verdict on each question that nobody was asked about (N,).

        What was learnt replaces the first belief, and the first belief the judge, only as far as the labels that
        are known bear it out, each predicted without itself.
        """
        asked, belief = frame(table).asked, self.belief(table, known)
        judged, counts = asked.judged(table.ai), asked.counts(known)
        first = decide(self.first_belief(table), judged, OVER_JUDGE)
        learnt = decide(belief.after, judged, OVER_JUDGE)
        if proven(counts, decide(belief.before, judged, OVER_JUDGE), first, at_least=BORNE_OUT):
            return learnt
        safe = judged if proven(counts, judged, first, at_least=BORNE_OUT) else first
        return np.where(counts.sum(axis=1) > 0, learnt, safe)

    def first_belief(self, table: Table) -> Floats:
        """P(first, tie, second) of each question before anybody was asked (N, 3)."""
        if self.first is None:
            self.first = believe(table, Known.nothing(), start=self.prior).after
        return self.first

    def settle(self, table: Table, known: Known) -> Floats:
        """Beliefs, with the incumbent verdict in front where the rest does not outweigh it by its margin."""
        asked = frame(table).asked
        probability = asked.turned(self.belief(table, known).after)
        heard, people = known.plurality(table.size)
        judged = (self.standing(table, known)[asked.code] - 1) * asked.flip + 1
        given = decide(probability, people + 1, OVER_PERSON)
        return in_front(probability, np.where(heard, given, judged))

    def explain(self, table: Table, known: Known, ranking: Ranking, instances: Ints) -> list[Reason]:
        differs, found = self.differing(table, known), signals(table)
        return [
            reason(
                float(differs[instance]),
                float(ranking.gain[instance]),
                [text for text, rows in found.items() if rows[instance]],
            )
            for instance in instances
        ]

    def differing(self, table: Table, known: Known) -> Floats:
        """P(a fresh person differs from the judge) at each pair (n,)."""
        after = frame(table).asked.turned(self.belief(table, known).after)
        return 1 - chance_of(after, table.ai + 1)


def reason(differs: float, gain: float, signs: list[str]) -> Reason:
    chance = f"{differs:.0%} chance that a person differs from the judge"
    text = f"{chance}: {', '.join(signs[:3])}." if signs else f"{chance}."
    return Reason(text=text, features={"differs": round(differs, 4), "gain": round(gain, 4)})


def signals(table: Table) -> dict[str, Mask]:
    """What makes a judge's verdict doubtful, as words and the pairs that show it (n,); found once."""
    if "signals" not in table.cache:
        against = np.nan_to_num(disagreement(table), nan=0.0)
        flipped = np.nan_to_num(table.consistent[table.standing], nan=1.0) < 0.5
        elsewhere = block(table, "strengths").odd["standing"]
        gap, (margin, votes) = length_gap(table), (reward(table), split(table))
        none = np.zeros(table.size, dtype=bool)
        table.cache["signals"] = {
            "the judge's verdict flips with the order": flipped,
            "other judges disagree": against >= 0.5,
            "a reward model points the other way": none if margin is None else margin * table.ai < -0.25,
            "a judge's own votes were split": none if votes is None else votes > 0.75,
            "the judge's other verdicts point the other way": elsewhere * table.ai < -0.25,
            "the judge sees a tie": table.ai == TIE,
            "the responses are much alike": share_below(likeness(table)) > 0.8,
            "the judge chose by far the longer response": gap * table.ai > 0.7,
            "the judge chose by far the shorter response": gap * table.ai < -0.7,
        }
    found = table.cache["signals"]
    assert isinstance(found, dict)
    return found


def in_front(probability: Floats, column: Ints) -> Floats:
    """The probabilities with the chosen column raised to just above the others (n, 3)."""
    rows = np.arange(len(column))
    raised = probability.copy()
    raised[rows, column] = np.maximum(raised[rows, column], probability.max(axis=1) + 1e-9)
    settled: Floats = raised / raised.sum(axis=1, keepdims=True)
    return settled
