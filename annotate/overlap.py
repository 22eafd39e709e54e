"""Dynamic overlap: as many people at an instance as it takes to be sure, within a minimum and a maximum.

A project sets `overlap` to `{"min", "max", "stop", "aspect"?}`: an instance starts with `min` seats; from then
on, when the chance that the leading answer is the most common one (`quality.leading.chance_of_lead`) reaches
`stop`, its open seats close; where it does not, one more opens, up to `max`. The answers told apart
are *response i is best*, for each response, and *none is* (a tie, both bad).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ledger.models import Aspect, Project
from ledger.questions import questions_of
from ledger.task_types.base import Vote
from quality.leading import chance_of_lead


@dataclass(frozen=True, slots=True)
class Rule:
    """A project's dynamic overlap."""

    least: int
    most: int
    stop: float
    aspect: Aspect

    def wanted(self, answers: Counter[int], *, voices: int, size: int) -> int:
        """How many people the instance should have had, of which `voices` have spoken.

        answers: votes by the index of the best response, `size` standing for none.
        """
        if voices < self.least:
            return self.least
        counts = [answers[answer] for answer in range(size + 1)]
        if voices >= self.most or chance_of_lead(counts) >= self.stop:
            return voices
        return voices + 1


def rule_of(project: Project) -> Rule | None:
    """The project's dynamic overlap, where it has one and an aspect to decide by."""
    given = project.settings.get("overlap")
    if not given:
        return None
    aspects = {aspect.name: aspect for aspect in questions_of(project).aspects}
    chosen = aspects.get(given.get("aspect", "overall")) or next(iter(aspects.values()), None)
    return Rule(given["min"], given["max"], given["stop"], chosen) if chosen else None


def seats_at_first(project: Project) -> int:
    """How many seats an instance starts with."""
    rule = project.settings.get("overlap")
    return rule["min"] if rule else project.overlap


def best_of(votes: Iterable[Vote], size: int) -> int | None:
    """The response that no other beats or equals; `size` where there is none; None without a vote."""
    votes = list(votes)
    if not votes:
        return None
    beaten = {i if verdict > 0 else j for i, j, verdict in votes if verdict}
    level = {response for i, j, verdict in votes if not verdict for response in (i, j)}
    best = set(range(size)) - beaten - level
    return best.pop() if len(best) == 1 else size
