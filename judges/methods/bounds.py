"""Parameters that no judge could run with are refused where a method is made, not in the middle of a run."""

from __future__ import annotations

from collections.abc import Collection

from web.problems import Invalid

TOKENS = (1, 32_768)
WARMTH = (0.0, 5.0)
SOME = (1e-6, 1e6)  # a factor: anything but zero or less


def within(method: object, **bounds: tuple[float, float]) -> None:
    """See that each parameter lies in its bounds, both included. Raises `Invalid` naming the first that does not."""
    for name, (low, high) in bounds.items():
        value = getattr(method, name)
        if not low <= value <= high:
            raise Invalid(f"{name} must lie between {low:g} and {high:g}, and is {value!r}.", parameter=name)


def among(method: object, **choices: Collection[str]) -> None:
    """See that each parameter is one of its choices. Raises `Invalid`."""
    for name, known in choices.items():
        value = getattr(method, name)
        if value not in known:
            said = ", ".join(repr(one) for one in known)
            raise Invalid(f"{name} must be one of {said}, and is {value!r}.", parameter=name)
