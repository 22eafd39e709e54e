"""What raters marked in a response, one label a stretch or step: what `trl-stepwise` and `masked` read."""

from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from exports.records import Answer, Case
from ledger.task_types.spans import place_of
from ledger.trajectories import steps_of


@dataclass(frozen=True, slots=True)
class Stretch:
    """A marked stretch of a response's text, or a step of its trajectory: its text, and how raters labelled it."""

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
    """The response's marked stretches on an aspect, in order; then the steps of its trajectory."""
    votes: dict[tuple[int, int, int, int], Counter[str]] = defaultdict(Counter)
    for said in case.verdicts:
        if said.aspect == aspect and said.is_voice:
            for mark in said.value.get("marks", []):
                if mark["response"] == answer.index:
                    votes[place_of(mark)][mark["label"]] += 1
    marked = [
        Stretch(a, b, answer.text[a:b], found) for (m, _, a, b), found in sorted(votes.items()) if m < 0
    ]
    return marked + steps(answer, {place[:2]: found for place, found in votes.items() if place[0] >= 0})


def steps(answer: Answer, votes: dict[tuple[int, int], Counter[str]]) -> list[Stretch]:
    """The marked steps of a trajectory; one that was not asked about is read as the end of the step before it."""
    found: list[Stretch] = []
    for step in steps_of(answer.messages) if votes else []:
        text = step.written()
        if said := votes.get((step.message, -1 if step.call is None else step.call)):
            found.append(Stretch(0, len(text), text, said))
        elif found:
            text = f"{found[-1].text}\n\n{text}"
            found[-1] = replace(found[-1], end=len(text), text=text)
    return found
