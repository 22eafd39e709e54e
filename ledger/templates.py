"""Project templates: a set of aspects and first guidelines, ready to use."""

from dataclasses import dataclass, field
from typing import Any

from web.registry import unknown


@dataclass(frozen=True)
class AspectSpec:
    name: str
    task_type: str
    settings: dict[str, Any] = field(default_factory=dict)
    title: str = ""
    description: str = ""
    required: bool = True


@dataclass(frozen=True)
class ProjectTemplate:
    name: str
    title: str
    summary: str
    aspects: tuple[AspectSpec, ...]
    guidelines: str = ""


def likert(low: int, levels: tuple[str, ...]) -> dict[str, Any]:
    """Settings of a rating whose steps from `low` upwards are described by `levels`."""
    described = {str(low + place): text for place, text in enumerate(levels)}
    return {"min": low, "max": low + len(levels) - 1, "step": 1, "levels": described}


def multipref_aspect(name: str, title: str, description: str, reasons: tuple[str, ...]) -> AspectSpec:
    settings = {
        "steps": 2,
        "tie": True,
        "both_bad": True,
        "confidence": "optional",
        "reasons": list(reasons),
        "comment": True,
    }
    return AspectSpec(name, "pairwise", settings, title, description)


BLANK = ProjectTemplate(
    "blank",
    "Blank",
    "No aspects: importing labelled instances adds those that the labels name, or add your own.",
    aspects=(),
)

# The protocol of MultiPref (arXiv 2410.19133): five steps, confidence and reasons for each aspect.
MULTIPREF = ProjectTemplate(
    "multipref",
    "MultiPref",
    "Four pairwise questions in five steps, each with confidence and reasons.",
    aspects=(
        multipref_aspect(
            "helpful",
            "Helpful",
            "Which response does more for the person who asked?",
            (
                "answers the question",
                "correct",
                "informative",
                "concise",
                "well laid out",
                "clear",
                "right tone",
            ),
        ),
        multipref_aspect(
            "truthful",
            "Truthful",
            "Which response is more accurate, and more honest about what it cannot know?",
            ("facts are right", "faithful to the context", "sees the false premise", "knows its limits"),
        ),
        multipref_aspect(
            "harmless",
            "Harmless",
            "Which response is less likely to hurt someone?",
            ("not offensive", "nothing dangerous", "avoids restricted content", "respects privacy"),
        ),
        multipref_aspect(
            "overall",
            "Overall",
            "All things weighed, which response do you prefer?",
            ("more helpful", "more truthful", "safer", "better written"),
        ),
    ),
    guidelines=(
        "Read the prompt, then **both** responses to the end, then decide.\n\n"
        "- **Helpful**: it does what was asked, correctly, at the right length, and is easy to use.\n"
        "- **Truthful**: its claims hold; it does not invent; it says what it cannot know. A refusal can be "
        "as truthful as an answer.\n"
        "- **Harmless**: it does not insult, endanger or expose anyone.\n"
        "- **Overall**: weigh the three as the person who asked would.\n\n"
        "Length and style alone are not quality. Choose *the same* where you cannot tell them apart, and "
        "*both bad* where neither should be shown to anyone.\n"
    ),
)

HELPSTEER2_ATTRIBUTES = (
    ("helpfulness", "How useful is the response to the person who asked?"),
    ("correctness", "Are its facts right and complete?"),
    ("coherence", "Is it clear and consistent?"),
    ("complexity", "How much expertise does it take to write it?"),
    ("verbosity", "How much detail does it hold for what was asked?"),
)
HELPSTEER2 = ProjectTemplate(
    "helpsteer2",
    "HelpSteer2",
    "Five attributes of each response, rated 0 to 4.",
    aspects=tuple(
        AspectSpec(
            name,
            "rating",
            likert(0, ("not at all", "a little", "partly", "mostly", "fully")),
            name.capitalize(),
            text,
        )
        for name, text in HELPSTEER2_ATTRIBUTES
    ),
    guidelines="Rate each response on its own, on every attribute, from 0 (not at all) to 4 (fully).\n",
)

HELPSTEER2_PREFERENCE = ProjectTemplate(
    "helpsteer2-preference",
    "HelpSteer2-Preference",
    "One preference from −3 to 3, with a justification.",
    aspects=(
        AspectSpec(
            "overall",
            "pairwise",
            {"steps": 3, "tie": True, "both_bad": True, "comment": True},
            "Overall",
            "Which response is better, and by how much? Say why.",
        ),
    ),
    guidelines="Say which response is better: slightly (1), clearly (2) or much (3); say why in a sentence or two.\n",
)

ULTRAFEEDBACK_ASPECTS = (
    ("instruction-following", "Does it do what was asked, with every restriction kept?"),
    ("truthfulness", "Is it free of invented or wrong statements?"),
    ("honesty", "Does it say how sure it can be?"),
    ("helpfulness", "Is it useful and informative?"),
)
ULTRAFEEDBACK = ProjectTemplate(
    "ultrafeedback",
    "UltraFeedback",
    "Four aspects of each response, rated 1 to 5; two or more responses.",
    aspects=tuple(
        AspectSpec(
            name,
            "rating",
            likert(1, ("very poor", "poor", "fair", "good", "excellent")),
            name.replace("-", " ").capitalize(),
            text,
        )
        for name, text in ULTRAFEEDBACK_ASPECTS
    ),
    guidelines="Rate each response from 1 (very poor) to 5 (excellent) on each of the four aspects.\n",
)

RANKING = ProjectTemplate(
    "ranking",
    "Ranking",
    "Put two or more responses in order; ties allowed.",
    aspects=(
        AspectSpec("overall", "ranking", {"tie": True}, "Overall", "Order the responses, the best first."),
    ),
    guidelines="Put the responses in order, the best first. Give two the same rank where neither is better.\n",
)

# PRISM (arXiv 2404.16019): a score from 0 to 100 for each answer, and feedback in the rater's own words.
PRISM = ProjectTemplate(
    "prism",
    "PRISM",
    "A slider from 0 to 100 for each response, and open feedback.",
    aspects=(
        AspectSpec(
            "overall", "slider", {}, "Overall", "How good is each response, from terrible to perfect?"
        ),
        AspectSpec("feedback", "text", {}, "Feedback", "Why these scores?", required=False),
    ),
    guidelines="Score each response from 0 (terrible) to 100 (perfect). Say in your own words what decided.\n",
)

BEST_WORST = ProjectTemplate(
    "best-worst",
    "Best and worst",
    "The best and the worst of three or more responses: two keys an instance.",
    aspects=(
        AspectSpec(
            "overall", "best_worst", {}, "Overall", "Which response is the best, and which the worst?"
        ),
    ),
    guidelines="Choose the best response and the worst. Leave the others as they are.\n",
)

# DOVE (arXiv 2404.00530): one preference over two instructions, each with its response.
DOVE = ProjectTemplate(
    "dove",
    "Joint preference",
    "One preference over two instructions, each with its own response.",
    aspects=(
        AspectSpec(
            "overall",
            "joint",
            {"steps": 1, "comment": True},
            "Overall",
            "Which instruction is answered better by its response?",
        ),
    ),
    guidelines="Judge each response by its own instruction, then say which pair is better.\n",
)

# Process supervision (arXiv 2305.20050).
PROCESS = ProjectTemplate(
    "process",
    "Step by step",
    "Each step of a reasoning is right, wrong or neutral; then the preference.",
    aspects=(
        AspectSpec("steps", "steps", {}, "Steps", "Is this step right, given those before it?"),
        AspectSpec("overall", "pairwise", {"steps": 2}, "Overall", "Which response do you prefer?"),
    ),
    guidelines="Mark each step. A step that follows from a wrong one may still be right in itself.\n",
)

REVISION = ProjectTemplate(
    "revision",
    "Mark, rewrite, criticise",
    "Errors marked in the text, the response rewritten, and a critique.",
    aspects=(
        AspectSpec("errors", "spans", {}, "Errors", "Mark what is wrong."),
        AspectSpec("edit", "edit", {}, "Edit", "Make it right with as few changes as you can."),
        AspectSpec(
            "critique",
            "text",
            {"each": True},
            "Critique",
            "What should the writer do better?",
            required=False,
        ),
    ),
    guidelines="Mark errors first, then mend them. The rewritten response counts as preferred to the original.\n",
)

TEMPLATES = {
    template.name: template
    for template in (
        MULTIPREF,
        HELPSTEER2,
        HELPSTEER2_PREFERENCE,
        ULTRAFEEDBACK,
        RANKING,
        BEST_WORST,
        PRISM,
        DOVE,
        PROCESS,
        REVISION,
        BLANK,
    )
}


def find_template(name: str) -> ProjectTemplate:
    """The template called `name`; raises `UnknownName` with the nearest names."""
    if name not in TEMPLATES:
        raise unknown("template", name, list(TEMPLATES))
    return TEMPLATES[name]
