"""A label's value in words, by task type; responses are named by their place in the instance, from 1."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from annotate.forms.pairwise import degrees
from ledger.models import Aspect

MOST = 300  # characters of a text in a table
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


def best_worst(value: dict[str, Any], settings: dict[str, Any]) -> str:
    return _("best %(best)s, worst %(worst)s") % {"best": value["best"] + 1, "worst": value["worst"] + 1}


def triplet(value: dict[str, Any], settings: dict[str, Any]) -> str:
    one, other = value["alike"]
    return _("%(one)s and %(other)s are alike") % {"one": one + 1, "other": other + 1}


def marks(value: dict[str, Any], settings: dict[str, Any]) -> str:
    """As in `1: 2 factual error, 1 unsafe · 2: 1 unsafe`."""
    counts: dict[int, Counter[str]] = {}
    for mark in value["marks"]:
        counts.setdefault(mark["response"], Counter())[mark["label"]] += 1
    said = (
        f"{response + 1}: " + ", ".join(f"{count} {label}" for label, count in found.items())
        for response, found in sorted(counts.items())
    )
    return " · ".join(said) or _("nothing marked")


def edit(value: dict[str, Any], settings: dict[str, Any]) -> str:
    """As in `1 rewritten, 12 words changed`."""
    edits = sorted(value["edits"].items(), key=lambda pair: int(pair[0]))
    said = (
        _("%(n)s rewritten, %(words)s words changed")
        % {"n": int(index) + 1, "words": each.get("distance", "?")}
        for index, each in edits
    )
    return " · ".join(said) or _("nothing to change")


def text(value: dict[str, Any], settings: dict[str, Any]) -> str:
    if "text" in value:
        return f"“{shortened(value['text'])}”"
    given = sorted(value["texts"].items(), key=lambda pair: int(pair[0]))
    return " · ".join(f"{int(index) + 1}: “{shortened(each)}”" for index, each in given)


def signal(value: dict[str, Any], settings: dict[str, Any]) -> str:
    """As in `thumbs on 1: up`."""
    thumbs = {1: _("up"), 0: _("taken back"), -1: _("down")}
    given = value["value"]
    said = thumbs[given] if value["signal"] == "thumbs" else shortened(str(given))
    return f"{value['signal'].replace('_', ' ')} on {value['response'] + 1}: {said}"


def shortened(given: str) -> str:
    return given if len(given) <= MOST else given[:MOST] + "…"


WORDS: dict[str, Callable[[dict[str, Any], dict[str, Any]], str]] = {
    "pairwise": pairwise,
    "ranking": ranking,
    "rating": rating,
    "slider": rating,
    "satisfaction": rating,
    "best_worst": best_worst,
    "triplet": triplet,
    "joint": pairwise,
    "spans": marks,
    "sentences": marks,
    "steps": marks,
    "edit": edit,
    "text": text,
    "signal": signal,
}


def in_words(aspect: Aspect, value: dict[str, Any]) -> str:
    """The verdict as a person reads it."""
    return WORDS[aspect.task_type](value, aspect.settings)


def extras_in_words(value: dict[str, Any]) -> str:
    """Probability, confidence and ticked reasons, where the label carries them."""
    parts = []
    if "probability" in value:
        parts.append(f"P(2) {value['probability']:.2f}")
    if "confidence" in value:
        parts.append(CONFIDENCE[value["confidence"]])
    return ", ".join([*parts, *value.get("reasons", [])])
