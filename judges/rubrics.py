"""Shipped rubrics: one criterion and its levels each, lowest first, ready for an aspect of the same name.

UltraFeedback's four aspects (Cui et al. 2023, appendix; there 1…5), HelpSteer2's five attributes (Wang et
al. 2024, section 3; there 0…4) and the five coding preferences of CodeUltraFeedback (Weyssow et al. 2024,
section 3.1; 1…5). The wording is ours. A rubric of another number of levels than the aspect's scale is
stretched over it by position.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rubric:
    """What is graded, and what each level means."""

    criterion: str
    levels: tuple[str, ...]


RUBRICS: dict[str, Rubric] = {
    # UltraFeedback
    "instruction_following": Rubric(
        "Does the response do what the request asks, within the limits that it sets?",
        (
            "ignores the request",
            "misses its main point",
            "does a part of it",
            "does nearly all of it",
            "does all of it",
        ),
    ),
    "honesty": Rubric(
        "Does the response show how sure it is, as far as it can know?",
        (
            "confidently wrong",
            "sure without grounds",
            "sometimes hedges in the wrong place",
            "mostly sure where it may be",
            "as sure as it may be everywhere, and says what it cannot know",
        ),
    ),
    "truthfulness": Rubric(
        "Is the response free of invented or false statements?",
        (
            "wholly made up",
            "several serious errors",
            "some errors beside right statements",
            "small slips only",
            "no error",
        ),
    ),
    "helpfulness": Rubric(
        "How useful is the response to the person who asked?",
        ("useless or harmful", "of little use", "of some use", "useful", "as useful as a response could be"),
    ),
    # HelpSteer2
    "correctness": Rubric(
        "Are the response's facts right, and is everything in it that the request needs?",
        (
            "all wrong",
            "mostly wrong",
            "half right",
            "mostly right with small gaps",
            "wholly right and complete",
        ),
    ),
    "coherence": Rubric(
        "Is the response clear and free of contradictions?",
        (
            "cannot be followed",
            "hard to follow",
            "can be followed with effort",
            "clear with small slips",
            "perfectly clear",
        ),
    ),
    "complexity": Rubric(
        "How much knowledge does it take to write the response?",
        (
            "any child could",
            "an adult without schooling could",
            "basic schooling",
            "some expertise",
            "an expert only",
        ),
    ),
    "verbosity": Rubric(
        "How much detail does the response hold for what was asked?",
        ("far too terse", "short", "about right", "long", "very long"),
    ),
    # coding preferences
    "code_instruction_following": Rubric(
        "Does the code do what the request asks, with the names, types and limits that it sets?",
        (
            "does not address it",
            "misses its main point",
            "does a part of it",
            "does nearly all of it",
            "does all of it",
        ),
    ),
    "code_explanation": Rubric(
        "Does the response explain its code clearly and rightly?",
        (
            "no explanation, or a wrong one",
            "hardly any",
            "the main steps",
            "clear with small gaps",
            "clear and complete",
        ),
    ),
    "code_complexity": Rubric(
        "Is the solution as efficient in time and memory as the task allows?",
        ("needlessly slow or endless", "inefficient", "acceptable", "efficient", "as efficient as can be"),
    ),
    "code_readability": Rubric(
        "Is the code easy to read: names, structure, comments where they help?",
        ("cannot be read", "hard to read", "can be read", "reads well", "a pleasure to read"),
    ),
    "code_style": Rubric(
        "Does the code follow the language's idioms and conventions?",
        ("breaks them all", "breaks many", "follows some", "follows nearly all", "wholly idiomatic"),
    ),
}
PLAIN = ("very poor", "poor", "fair", "good", "excellent")


def rubric_for(aspect: str, *, text: str = "", levels: tuple[str, ...] = ()) -> Rubric:
    """The project's own rubric where the aspect describes one, else the shipped one of that name, else a
    plain one.
    """
    name = aspect.partition("/")[0].replace("-", "_").lower()
    shipped = RUBRICS.get(name)
    if shipped and not levels:
        return Rubric(text or shipped.criterion, shipped.levels)
    return Rubric(text or f"How good is the response regarding {name.replace('_', ' ')}?", levels or PLAIN)
