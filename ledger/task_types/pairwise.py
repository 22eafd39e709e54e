"""Pairwise: which of two responses, by how much; *both bad* is told apart from a tie."""

from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    InvalidSettings,
    Vote,
    clean_extras,
    clean_flag,
    is_number,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)

MAX_STEPS = 5


class Pairwise:
    """`{"strength": s}`, s in −steps…steps, negative: response 0 preferred; or `{"both_bad": true}`.

    Judges add `probability`, P(response 1 preferred) in 0…1.
    """

    name = "pairwise"
    title = "Pairwise comparison"

    def fits(self, size: int) -> bool:
        return size == 2

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        steps = given.get("steps", 2)
        if not is_whole(steps) or not 1 <= steps <= MAX_STEPS:
            raise InvalidSettings(f"steps must be 1…{MAX_STEPS}, not {steps!r}.")
        filled = {
            "steps": steps,
            "tie": clean_flag(given, "tie", True),
            "both_bad": clean_flag(given, "both_bad", True),
            **shared_settings(given),
        }
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        if size != 2:
            raise InvalidAnswer(f"A pairwise answer needs two responses; the instance has {size}.")
        value = require_object(value, allowed={"strength", "both_bad", "probability"} | EXTRAS)
        extras = clean_extras(value, settings)
        if value.get("both_bad"):
            return self.clean_both_bad(value, settings) | extras
        cleaned: dict[str, Any] = {"strength": self.clean_strength(value.get("strength"), settings)}
        if "probability" in value:
            cleaned["probability"] = self.clean_probability(value["probability"])
        return cleaned | extras

    def clean_both_bad(self, value: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
        if not settings["both_bad"]:
            raise InvalidAnswer("both_bad is not offered by this aspect.")
        if value["both_bad"] is not True or value.get("strength") is not None:
            raise InvalidAnswer("both_bad must be true and stand without a strength.")
        return {"both_bad": True}

    def clean_strength(self, strength: Any, settings: dict[str, Any]) -> int:
        steps = settings["steps"]
        if not is_whole(strength) or not -steps <= strength <= steps:
            raise InvalidAnswer(f"strength must be a whole number in {-steps}…{steps}, not {strength!r:.80}.")
        if strength == 0 and not settings["tie"]:
            raise InvalidAnswer("A tie (strength 0) is not offered by this aspect.")
        return strength

    def clean_probability(self, probability: Any) -> float:
        if not is_number(probability) or not 0 <= probability <= 1:
            raise InvalidAnswer(f"probability must be in 0…1, not {probability!r:.80}.")
        return float(probability)

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        strength = value.get("strength", 0)
        return [(0, 1, (strength > 0) - (strength < 0))]


PAIRWISE = Pairwise()
