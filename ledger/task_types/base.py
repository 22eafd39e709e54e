"""What every task type can do, and the checks that they share.

A *vote* is a triple `(i, j, verdict)` over two response indices, i < j: −1 where response i is
preferred, 1 where j is, 0 for a tie. Every task type is read as votes, so that statistics treat
them alike.
"""

from typing import Any, Protocol

from web.problems import Invalid

Vote = tuple[int, int, int]


class InvalidAnswer(Invalid):
    code, title = "invalid-answer", "The answer does not fit the aspect"


class InvalidSettings(Invalid):
    code, title = "invalid-settings", "The settings do not fit the task type"


class TaskType(Protocol):
    name: str
    title: str

    def fits(self, size: int) -> bool:
        """Whether it can be asked about an instance of `size` responses."""

    def settings(self, given: dict[str, Any]) -> dict[str, Any]:
        """`given` checked, with every default filled in. Raises `InvalidSettings`."""

    def clean(self, value: Any, *, settings: dict[str, Any], size: int) -> dict[str, Any]:
        """The value in its one canonical form, for an instance of `size` responses. Raises `InvalidAnswer`."""

    def votes(self, value: dict[str, Any]) -> list[Vote]:
        """The value read as votes over pairs of responses."""


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def require_object(value: Any, *, allowed: set[str]) -> dict[str, Any]:
    """`value` as an object with no key outside `allowed`. Raises `InvalidAnswer`."""
    if not isinstance(value, dict):
        raise InvalidAnswer(f"An answer must be an object, not {value!r:.80}.")
    extra = sorted(set(value) - allowed)
    if extra:
        raise InvalidAnswer(
            f"An answer may not have {', '.join(map(repr, extra))}; allowed: {sorted(allowed)}."
        )
    return value


def clean_extras(value: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """The optional `confidence` (1…3), `reasons` (a list of short texts) and `comment` of an answer."""
    extras: dict[str, Any] = {}
    if value.get("confidence") is not None:
        extras["confidence"] = clean_confidence(value["confidence"])
    elif settings.get("confidence") == "required":
        raise InvalidAnswer("Say how sure you are: confidence is required.")
    if value.get("reasons"):
        extras["reasons"] = clean_reasons(value["reasons"])
    if value.get("comment"):
        if not isinstance(value["comment"], str) or len(value["comment"]) > 20_000:
            raise InvalidAnswer("A comment must be a text of at most 20,000 characters.")
        extras["comment"] = value["comment"]
    return extras


def clean_confidence(value: Any) -> int:
    if not is_whole(value) or not 1 <= value <= 3:
        raise InvalidAnswer(f"confidence must be 1, 2 or 3, not {value!r:.80}.")
    return value


def clean_reasons(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(
        isinstance(reason, str) and len(reason) <= 500 for reason in value
    ):
        raise InvalidAnswer("reasons must be a list of texts of at most 500 characters.")
    return list(dict.fromkeys(value))


EXTRAS = {"confidence", "reasons", "comment"}


def clean_flag(given: dict[str, Any], name: str, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise InvalidSettings(f"{name} must be true or false, not {value!r}.")
    return value


def shared_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The settings that every task type has: `confidence` off, optional or required, and `reasons` to tick."""
    confidence = given.get("confidence", "off")
    if confidence not in ("off", "optional", "required"):
        raise InvalidSettings(f"confidence must be off, optional or required, not {confidence!r}.")
    reasons = given.get("reasons", [])
    if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
        raise InvalidSettings("reasons must be a list of texts.")
    return {
        "confidence": confidence,
        "reasons": reasons,
        "comment": clean_flag(given, "comment", bool(reasons)),
    }


def refuse_unknown(given: dict[str, Any], known: dict[str, Any]) -> None:
    extra = sorted(set(given) - set(known))
    if extra:
        raise InvalidSettings(f"Unknown settings {extra}; known: {sorted(known)}.")
