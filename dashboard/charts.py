"""Charts as figures for SVG: plain numbers and paths; colours and strokes are the stylesheet's."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil, floor

WIDTH, HEIGHT = 680, 290
LEFT, RIGHT, TOP, BOTTOM = 50, 660, 20, 240


@dataclass(frozen=True)
class Point:
    """Expected agreement, with its interval, when the share `budget` goes to people."""

    budget: float
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Tick:
    at: float
    text: str


@dataclass(frozen=True)
class Curve:
    """A forecast as paths in a viewBox of WIDTH by HEIGHT."""

    line: str
    band: str
    chance: str  # the straight line between nobody and everybody asked
    mark: tuple[float, float] | None
    mark_end: bool  # whether the mark's words fit to its left only
    start: tuple[float, float]
    end: tuple[float, float]
    rows: list[Tick] = field(default_factory=list)
    columns: list[Tick] = field(default_factory=list)


@dataclass(frozen=True)
class Scale:
    low: float
    high: float

    def x(self, budget: float) -> float:
        return round(LEFT + (RIGHT - LEFT) * budget, 1)

    def y(self, value: float) -> float:
        return round(BOTTOM - (BOTTOM - TOP) * (value - self.low) / (self.high - self.low), 1)


def draw_curve(points: Sequence[Point], *, mark: Point | None) -> Curve:
    """The curve through `points` (rising budgets), its band, and a mark at the chosen budget."""
    scale = scale_of(points)
    there = [(scale.x(p.budget), scale.y(p.high)) for p in points]
    back = [(scale.x(p.budget), scale.y(p.low)) for p in reversed(points)]
    first, last = points[0], points[-1]
    start, end = (scale.x(first.budget), scale.y(first.mean)), (scale.x(last.budget), scale.y(last.mean))
    return Curve(
        line=path([(scale.x(p.budget), scale.y(p.mean)) for p in points]),
        band=path(there + back) + "Z",
        chance=path([start, end]),
        mark=(scale.x(mark.budget), scale.y(mark.mean)) if mark else None,
        mark_end=mark is not None and mark.budget > 0.45,
        start=start,
        end=end,
        rows=[Tick(scale.y(value), f"{value:.2f}".rstrip("0").ljust(3, "0")) for value in steps(scale)],
        columns=[Tick(scale.x(share), f"{100 * share:.0f} %") for share in (0, 0.25, 0.5, 0.75, 1)],
    )


def path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def scale_of(points: Sequence[Point]) -> Scale:
    """From the tenth below the lowest bound to the tenth above the highest."""
    low, high = min(p.low for p in points), max(p.high for p in points)
    bottom, top = floor(low * 10) / 10, min(ceil(high * 10) / 10, 1.0)
    return Scale(max(bottom, 0.0), top if top > bottom else bottom + 0.1)


def steps(scale: Scale) -> list[float]:
    """Four to six round values from bottom to top."""
    span = round(scale.high - scale.low, 6)
    size = 0.05 if span <= 0.25 else 0.1 if span <= 0.55 else 0.2
    count = round(span / size)
    return [round(scale.low + size * place, 6) for place in range(count + 1)]


def at_budget(points: Sequence[Point], budget: float) -> Point:
    """The curve between its points, by straight lines."""
    after = next((place for place, point in enumerate(points) if point.budget >= budget), len(points) - 1)
    b, a = points[after], points[max(after - 1, 0)]
    if b.budget == a.budget:
        return b
    part = (budget - a.budget) / (b.budget - a.budget)
    mixed = [
        one + part * (other - one) for one, other in ((a.mean, b.mean), (a.low, b.low), (a.high, b.high))
    ]
    return Point(budget, *mixed)
