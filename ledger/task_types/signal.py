"""Signal: what someone who used a response did with it. Never asked of annotators; it arrives by the API."""

from typing import Any

from ledger.task_types.base import InvalidAnswer, Vote, is_whole, refuse_unknown, require_object

SIGNALS = ("thumbs", "reaction", "follow_up", "edit")
MAX_TEXT = 4_000_000


class Signal:
    """`{"signal": "thumbs", "response": 0, "value": 1}`: thumbs −1, 0 (taken back) or 1; the others a text.

    A signal orders no pair of responses, so it casts no vote; exports read thumbs as absolute evidence.
    """

    name = "signal"
    title = "Signal from use"

    def fits(self, size: int) -> bool:
        return False

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        refuse_unknown(given, {})
        return {}

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"signal", "response", "value"})
        signal, response = value.get("signal"), value.get("response")
        if signal not in SIGNALS:
            raise InvalidAnswer(f"signal must be one of {', '.join(SIGNALS)}, not {signal!r:.80}.")
        if not is_whole(response) or not 0 <= response < size:
            raise InvalidAnswer(f"response must be an index in 0…{size - 1}, not {response!r:.80}.")
        return {"signal": signal, "response": response, "value": self.clean_value(signal, value.get("value"))}

    def clean_value(self, signal: str, value: Any) -> int | str:
        if signal == "thumbs":
            if value not in (-1, 0, 1) or not is_whole(value):
                raise InvalidAnswer(f"thumbs must be −1, 0 or 1, not {value!r:.80}.")
            return value
        if not isinstance(value, str) or not value or len(value) > MAX_TEXT or "\x00" in value:
            raise InvalidAnswer(f"{signal} must carry a text as its value.")
        return value

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        return []


SIGNAL = Signal()
