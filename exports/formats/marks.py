"""What raters marked in the text of a response, one label a stretch: what `trl-stepwise` and `masked` read."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from exports.records import Answer, Case


@dataclass(frozen=True, slots=True)
class Stretch:
    """A marked stretch of a response: its text, and how its raters labelled it."""

    start: int
    end: int
    text: str
    votes: Counter[str]

    @property
    def label(self) -> str:
        """The label of most raters; of equal ones the first in the alphabet."""
        return min(self.votes, key=lambda label: (-self.votes[label], label))

    @property
    def agreement(self) -> float:
        return self.votes[self.label] / self.votes.total()


def stretches(case: Case, answer: Answer, aspect: str) -> list[Stretch]:
    """The response's marked stretches on an aspect, in order; live labels alone."""
    votes: dict[tuple[int, int], Counter[str]] = defaultdict(Counter)
    for said in case.verdicts:
        if said.aspect == aspect and said.superseded is None:
            for mark in said.value.get("marks", []):
                if mark["response"] == answer.index:
                    votes[mark["start"], mark["end"]][mark["label"]] += 1
    return [Stretch(start, end, answer.text[start:end], votes[start, end]) for start, end in sorted(votes)]
