"""Free text: a rationale, a critique, feedback in words; about the instance, or about each response."""

from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    InvalidSettings,
    Vote,
    clean_extras,
    clean_flag,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)

LIMIT = 100_000  # characters


class Text:
    """`{"text": "…"}`, or `{"texts": {"0": "…"}}` where the aspect asks about `each` response. It orders nothing."""

    name = "text"
    title = "Free text"

    def fits(self, size: int) -> bool:
        return size >= 1

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        least = given.get("min_words", 0)
        if not is_whole(least) or not 0 <= least <= 1000:
            raise InvalidSettings(f"min_words must be 0…1000, not {least!r}.")
        filled = {"each": clean_flag(given, "each", False), "min_words": least, **shared_settings(given)}
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        field = "texts" if settings["each"] else "text"
        value = require_object(value, allowed={field} | EXTRAS)
        given = value.get(field)
        extras = clean_extras(value, settings)
        if not settings["each"]:
            return {"text": self.clean_text(given, settings)} | extras
        known = {str(index) for index in range(size)}
        if not isinstance(given, dict) or set(given) != known:
            raise InvalidAnswer(f"texts must hold a text for each response, {sorted(known, key=int)}.")
        return {
            "texts": {index: self.clean_text(given[index], settings) for index in sorted(given, key=int)}
        } | extras

    def clean_text(self, text: Any, settings: dict[str, Any]) -> str:
        if not isinstance(text, str) or not text.strip() or len(text) > LIMIT:
            raise InvalidAnswer(f"A text of 1…{LIMIT:,} characters is asked for.")
        if len(text.split()) < settings["min_words"]:
            raise InvalidAnswer(f"At least {settings['min_words']} words are asked for.")
        return text.strip()

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        return []


TEXT = Text()
