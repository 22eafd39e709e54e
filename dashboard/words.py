"""A label's value in words, by task type; responses are named by their place in the instance, from 1."""

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.pairwise import degrees
from ledger.models import Aspect

CONFIDENCE = {1: "not sure", 2: "fairly sure", 3: "sure"}


def pairwise(value: dict[str, Any], settings: dict[str, Any]) -> str:
    if value.get("both_bad"):
        return _("both bad")
    strength = value["strength"]
    if strength == 0:
        return _("the same")
    scale = degrees(max(abs(strength), settings.get("steps", 2)))
    return scale[abs(strength) - 1].format(n=1 if strength < 0 else 2)


def ranking(value: dict[str, Any], settings: dict[str, Any]) -> str:
    """As in `2 > 1 = 3`."""
    tiers: dict[int, list[str]] = {}
    for index, rank in enumerate(value["ranks"]):
        tiers.setdefault(rank, []).append(str(index + 1))
    return " > ".join(" = ".join(tiers[rank]) for rank in sorted(tiers))


def rating(value: dict[str, Any], settings: dict[str, Any]) -> str:
    """As in `1: 4 good · 2: 2 poor`."""
    levels = settings.get("levels", {})
    given = sorted(value["ratings"].items(), key=lambda pair: int(pair[0]))
    return " · ".join(
        f"{int(index) + 1}: {rate:g} {levels.get(f'{rate:g}', '')}".strip() for index, rate in given
    )


WORDS: dict[str, Callable[[dict[str, Any], dict[str, Any]], str]] = {
    "pairwise": pairwise,
    "ranking": ranking,
    "rating": rating,
}


def in_words(aspect: Aspect, value: dict[str, Any]) -> str:
    """The verdict as a person reads it; an unknown task type shows its JSON."""
    words = WORDS.get(aspect.task_type)
    return words(value, aspect.settings) if words else str(value)


def extras_in_words(value: dict[str, Any]) -> str:
    """Probability, confidence and ticked reasons, where the label carries them."""
    parts = []
    if "probability" in value:
        parts.append(f"P(2) {value['probability']:.2f}")
    if "confidence" in value:
        parts.append(CONFIDENCE[value["confidence"]])
    return ", ".join([*parts, *value.get("reasons", [])])
