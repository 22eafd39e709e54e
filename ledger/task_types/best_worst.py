"""Best-worst choice: the best and the worst of three or more responses (Louviere et al. 2015)."""

from typing import Any

from ledger.task_types.base import (
    EXTRAS,
    InvalidAnswer,
    Vote,
    clean_extras,
    is_whole,
    refuse_unknown,
    require_object,
    shared_settings,
)


class BestWorst:
    """`{"best": 2, "worst": 0, "size": 4}`: response indices; `size` is filled in.

    Votes: the best beats every other, every other beats the worst; the rest stays open.
    """

    name = "best_worst"
    title = "Best and worst"

    def fits(self, size: int) -> bool:
        return size >= 3

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        filled = shared_settings(given)
        refuse_unknown(given, filled)
        return filled

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        value = require_object(value, allowed={"best", "worst", "size"} | EXTRAS)
        chosen = {role: self.clean_index(value.get(role), role, size) for role in ("best", "worst")}
        if chosen["best"] == chosen["worst"]:
            raise InvalidAnswer("The best and the worst must be two responses.")
        return chosen | {"size": size} | clean_extras(value, settings)

    def clean_index(self, index: Any, role: str, size: int) -> int:
        if not is_whole(index) or not 0 <= index < size:
            raise InvalidAnswer(f"{role} must be a response's index in 0…{size - 1}, not {index!r:.80}.")
        return index

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        best, worst = value["best"], value["worst"]
        won = {(best, other) for other in range(value["size"]) if other != best}
        lost = {(other, worst) for other in range(value["size"]) if other != worst}
        return sorted((min(pair), max(pair), -1 if pair[0] < pair[1] else 1) for pair in won | lost)


BEST_WORST = BestWorst()
